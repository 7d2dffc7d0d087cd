#include "shared/rpc/methods.h"

#include "shared/base/text.h"
#include "shared/codec/message.h"

#include "descriptor_set.h"
#include "google/protobuf/descriptor.pb-c.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The number of the extension (throughline.api.v1.policy). */
enum { POLICY_EXTENSION = 50001 };

/* Constant once it is read: it is made of the compiled-in set and nothing else. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
    Arena *arena;
    RpcMethod *methods; /* in the order of their paths */
    size_t count;
} table;

/* The size of the varint at the start of a length-delimited field, which protobuf-c keeps in
 * front of unknown fields. */
static size_t length_prefix(const uint8_t *bytes, size_t size)
{
    size_t n = 0;

    while (n < size && bytes[n] & 0x80)
        n++;
    return n < size ? n + 1 : size;
}

static void read_policy(
    RpcMethod *method, Arena *arena, const Google__Protobuf__MethodOptions *options)
{
    const Throughline__Api__V1__MethodPolicy *policy;

    for (size_t i = 0; options && i < options->base.n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &options->base.unknown_fields[i];
        size_t prefix = length_prefix(field->data, field->len);

        if (field->tag != POLICY_EXTENSION)
            continue;
        policy = message_unpack(arena, &throughline__api__v1__method_policy__descriptor,
            (Bytes){ field->data + prefix, field->len - prefix });
        if (policy)
            method->policy = *policy;
    }
}

static void read_method(RpcMethod *method, Arena *arena, const char *service,
    const Google__Protobuf__MethodDescriptorProto *proto)
{
    method->service = service;
    method->name = arena_text(arena, proto->name);
    method->path = arena_printf(arena, "/%s/%s", service, proto->name);
    method->input = message_find(proto->input_type + 1); /* behind the leading dot */
    method->output = message_find(proto->output_type + 1);
    method->client_streams = proto->client_streaming;
    method->server_streams = proto->server_streaming;
    throughline__api__v1__method_policy__init(&method->policy);
    read_policy(method, arena, proto->options);
    assert(method->input && method->output);
}

static int compare_methods(const void *a, const void *b)
{
    return strcmp(((const RpcMethod *)a)->path, ((const RpcMethod *)b)->path);
}

static size_t count_methods(const Google__Protobuf__FileDescriptorSet *set)
{
    size_t count = 0;

    for (size_t f = 0; f < set->n_file; f++)
        for (size_t s = 0; s < set->file[f]->n_service; s++)
            count += set->file[f]->service[s]->n_method;
    return count;
}

static void read_file(Arena *arena, const Google__Protobuf__FileDescriptorProto *file)
{
    for (size_t s = 0; s < file->n_service; s++) {
        const Google__Protobuf__ServiceDescriptorProto *proto = file->service[s];
        const char *service = arena_printf(arena, "%s.%s", file->package, proto->name);

        for (size_t m = 0; m < proto->n_method; m++)
            read_method(&table.methods[table.count++], arena, service, proto->method[m]);
    }
}

static void read_table(void)
{
    Arena *scratch = arena_new();
    const Google__Protobuf__FileDescriptorSet *set =
        message_unpack(scratch, &google__protobuf__file_descriptor_set__descriptor,
            (Bytes){ throughline_descriptor_set,
                (size_t)(throughline_descriptor_set_end - throughline_descriptor_set) });

    assert(set);
    table.arena = arena_new();
    table.methods = arena_array(table.arena, count_methods(set), sizeof(RpcMethod));
    for (size_t f = 0; f < set->n_file; f++)
        read_file(table.arena, set->file[f]);
    qsort(table.methods, table.count, sizeof(RpcMethod), compare_methods);
    arena_free(scratch);
}

const RpcMethod *rpc_methods(size_t *count)
{
    pthread_once(&once, read_table);
    *count = table.count;
    return table.methods;
}

static int compare_path(const void *path, const void *method)
{
    return strcmp(path, ((const RpcMethod *)method)->path + 1);
}

const RpcMethod *rpc_method_find(const char *path)
{
    size_t count;
    const RpcMethod *methods = rpc_methods(&count);

    return bsearch(*path == '/' ? path + 1 : path, methods, count, sizeof(*methods), compare_path);
}

/* "cart" for throughline.cart.v1.CartService. */
static bool is_of_service(const RpcMethod *method, const char *service)
{
    static const char prefix[] = "throughline.";
    const char *rest = method->service + strlen(prefix);
    size_t length = strlen(service);

    if (text_equal(method->service, service))
        return true;
    return text_starts_with(method->service, prefix) && !strncmp(rest, service, length) &&
           rest[length] == '.';
}

size_t rpc_methods_of(Arena *arena, const char *service, const RpcMethod *const **methods)
{
    size_t count, found = 0;
    const RpcMethod *all = rpc_methods(&count);
    const RpcMethod **list = arena_array(arena, count, sizeof(*list));

    for (size_t i = 0; i < count; i++)
        if (is_of_service(&all[i], service))
            list[found++] = &all[i];
    *methods = list;
    return found;
}
