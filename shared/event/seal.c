/* The envelope of an event, as it waits in the outbox: everything but its place in the log. */
#include "shared/event/event.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/codec/types.h"

#include <string.h>

static const char type_prefix[] = "type.googleapis.com/";

/* The message's own text field of that name; "" when it has none. */
static const char *text_field(const ProtobufCMessage *message, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    char *const *text;

    if (!field || field->type != PROTOBUF_C_TYPE_STRING ||
        field->label == PROTOBUF_C_LABEL_REPEATED)
        return "";
    text = message_field(message, name);
    return text && *text ? *text : "";
}

static const char *customer_of(const ProtobufCMessage *payload, const char *aggregate)
{
    const ProtobufCMessageDescriptor *type = payload->descriptor;
    const char *customer = text_field(payload, "customer");

    for (unsigned i = 0; !*customer && i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        ProtobufCMessage *const *inner;

        if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        inner = message_field(payload, field->name);
        if (inner && *inner)
            customer = text_field(*inner, "customer");
    }
    if (!*customer && text_starts_with(aggregate, "customers/"))
        return aggregate;
    return customer;
}

const Error *event_seal(void *context, Arena *arena, const char *aggregate,
    const ProtobufCMessage *payload, Bytes *sealed, int *partition)
{
    const RpcCall *call = context;
    Event event = THROUGHLINE__EVENT__V1__EVENT__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    const StoreView *view = call->store;
    Bytes packed = view && view->packed_reply.data
                       ? message_pack_around(arena, payload, view->reply, view->packed_reply)
                       : message_pack(arena, payload);
    const char *customer = customer_of(payload, aggregate);
    const char *subject = *customer ? customer : aggregate;

    any.type_url = arena_printf(arena, "%s%s", type_prefix, payload->descriptor->name);
    any.value.data = (uint8_t *)packed.data;
    any.value.len = packed.size;
    event.name = id_name(arena, "events");
    event.aggregate = (char *)aggregate;
    event.customer = (char *)customer;
    event.channel = (char *)call->context.channel;
    event.actor = (char *)call->context.actor;
    event.on_behalf_of = (char *)call->context.on_behalf_of;
    event.journey = (char *)call->context.journey;
    event.traceparent = (char *)call->traceparent;
    event.time = timestamp_from_micros(arena, clock_now());
    event.payload = &any;
    *sealed = message_pack(arena, &event);
    *partition = (int)(text_hash(subject, strlen(subject)) % STORE_PARTITIONS);
    return NULL;
}

bool event_packed(const Event *event, const ProtobufCMessageDescriptor *type, Bytes *packed)
{
    const Google__Protobuf__Any *any = event->payload;

    if (!any || !text_starts_with(any->type_url, type_prefix) ||
        !text_equal(any->type_url + strlen(type_prefix), type->name))
        return false;
    *packed = (Bytes){ any->value.data, any->value.len };
    return true;
}

void *event_payload(Arena *arena, const Event *event, const ProtobufCMessageDescriptor *type)
{
    Bytes packed;

    if (!event_packed(event, type, &packed))
        return NULL;
    return scan_message(arena, type, packed) ? NULL : message_unpack(arena, type, packed);
}
