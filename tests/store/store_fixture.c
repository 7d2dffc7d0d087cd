#include "tests/store/store_fixture.h"

#include "shared/base/id.h"
#include "shared/codec/message.h"

#include <mongoc/mongoc.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const Collection records = {
    .name = "records",
    .message = &throughline__echo__v1__record__descriptor,
    .indexes = {
        { "by_owner", { "owner", "create_time" } },
        { "by_email", { "email" }, .is_unique = true },
        { "by_key", { "keys.value", "count" } },
        { "by_tag", { "tags" } },
        { "by_state", { "state", "count" } },
        { "by_activity", { "is_active", "owner", "count" } },
        { "by_label", { "part.label" } },
        { "by_share", { "share", "data" } },
    },
    .expire_field = "expire_time",
};

const Collection accounts = {
    .name = "accounts",
    .message = &throughline__echo__v1__record__descriptor,
    .indexes = {
        { "by_login", { "keys.value" }, .is_unique = true },
        { "by_slot", { "state", "count" }, .is_unique = true },
    },
};

static const Collection *const both[] = { &records, &accounts, NULL };

static struct {
    EngineKind kind;
    Arena *arena;
    Store *store;
    const Collection *const *collections;
    const StoreLog *log;
    const char *folder;
    char uri[4096];
    char service[64];
} fixture;

const char *engine_missing(EngineKind kind)
{
    if (kind == EMBEDDED || getenv("THROUGHLINE_TEST_MONGO_URI"))
        return NULL;
    return "THROUGHLINE_TEST_MONGO_URI names no server";
}

static const Error *open_store(void)
{
    return store_open(fixture.arena,
        &(StoreOptions){ .uri = fixture.uri,
            .service = fixture.service,
            .collections = fixture.collections,
            .log = fixture.log },
        &fixture.store);
}

void fixture_start(EngineKind kind)
{
    static int number;
    const Error *error;

    fixture.kind = kind;
    fixture.arena = arena_new();
    fixture.collections = both;
    fixture.log = NULL;
    snprintf(fixture.service, sizeof(fixture.service), "test_%d_%d", (int)getpid(), ++number);
    if (kind == EMBEDDED) {
        fixture.folder = test_folder();
        snprintf(fixture.uri, sizeof(fixture.uri), "embedded:%s", fixture.folder);
    } else {
        snprintf(fixture.uri, sizeof(fixture.uri), "%s", getenv("THROUGHLINE_TEST_MONGO_URI"));
    }
    if ((error = open_store())) {
        fprintf(stderr, "%s: %s\n", error->reason, error->message);
        abort();
    }
}

void fixture_stop(void)
{
    fixture_close();
    arena_free(fixture.arena);
}

void fixture_close(void)
{
    store_close(fixture.store);
    fixture.store = NULL;
}

const Error *fixture_reopen(const Collection *const *collections)
{
    fixture_close();
    if (collections)
        fixture.collections = collections;
    return open_store();
}

const Error *fixture_reopen_with_log(const Collection *const *collections, const StoreLog *log)
{
    fixture.log = log;
    return fixture_reopen(collections);
}

bool fixture_is_ferretdb(void)
{
    mongoc_client_t *client = mongoc_client_new(fixture.uri);
    bson_t *command = BCON_NEW("buildInfo", BCON_INT32(1)), reply;
    bool is_ferretdb;

    mongoc_client_command_simple(client, "admin", command, NULL, &reply, NULL);
    is_ferretdb = bson_has_field(&reply, "ferretdbVersion");
    bson_destroy(&reply);
    bson_destroy(command);
    mongoc_client_destroy(client);
    return is_ferretdb;
}

EngineKind fixture_engine(void)
{
    return fixture.kind;
}

const char *fixture_folder(void)
{
    return fixture.folder;
}

const char *fixture_uri(void)
{
    return fixture.uri;
}

const char *fixture_service(void)
{
    return fixture.service;
}

Store *the_store(void)
{
    return fixture.store;
}

Arena *the_arena(void)
{
    return fixture.arena;
}

static const Error *seal(void *context, Arena *arena, const char *aggregate,
    const ProtobufCMessage *payload, Bytes *sealed, int *partition)
{
    (void)aggregate;
    *sealed = message_pack(arena, payload);
    *partition = *(const int *)context;
    return NULL;
}

StoreView *a_partition(int partition)
{
    StoreView *view = arena_alloc(fixture.arena, sizeof(*view));

    view->store = fixture.store;
    view->arena = fixture.arena;
    view->seal = seal;
    view->seal_context = arena_copy(fixture.arena, &partition, sizeof(partition));
    return view;
}

StoreView *a_view(void)
{
    return a_partition(0);
}

StoreView *a_request(const char *key, const char *reply_owner)
{
    StoreView *view = a_view();

    view->request_key = key;
    id_digest(key, strlen(key), view->request_hash);
    view->reply = (ProtobufCMessage *)a_record_of("reply", reply_owner);
    return view;
}

StoreView *an_effect(const char *source, int64_t position)
{
    StoreView *view = a_view();

    view->mark_source = source;
    view->mark_position = position;
    return view;
}

Record *a_record(const char *id)
{
    Record *record = message_new(fixture.arena, &throughline__echo__v1__record__descriptor);

    record->name = arena_printf(fixture.arena, "records/%s", id);
    return record;
}

Record *a_record_of(const char *id, const char *owner)
{
    Record *record = a_record(id);

    record->owner = arena_text(fixture.arena, owner);
    return record;
}

void set_time(Google__Protobuf__Timestamp **field, int64_t seconds, int32_t nanos)
{
    *field = message_new(fixture.arena, &google__protobuf__timestamp__descriptor);
    (*field)->seconds = seconds;
    (*field)->nanos = nanos;
}

void add_key(Record *record, const char *kind, const char *value)
{
    RecordKey *key = message_new(fixture.arena, &throughline__echo__v1__record_key__descriptor);

    key->kind = arena_text(fixture.arena, kind);
    key->value = arena_text(fixture.arena, value);
    record->keys = arena_grow(
        fixture.arena, record->keys, record->n_keys, record->n_keys + 1, sizeof(*record->keys));
    record->keys[record->n_keys++] = key;
}

void add_tag(Record *record, const char *tag)
{
    record->tags = arena_grow(
        fixture.arena, record->tags, record->n_tags, record->n_tags + 1, sizeof(*record->tags));
    record->tags[record->n_tags++] = arena_text(fixture.arena, tag);
}

const char *owner_of(Bytes bytes)
{
    const Record *record =
        message_unpack(fixture.arena, &throughline__echo__v1__record__descriptor, bytes);

    return record ? record->owner : "";
}

Record *stored(const Collection *collection, const char *name)
{
    Record *record = message_new(fixture.arena, collection->message);

    CHECK_OK(store_get(a_view(), collection, name, record));
    return record;
}

typedef struct Told {
    sem_t news;
    bool is_done;
} Told;

static void tell(void *context, bool is_done)
{
    Told *told = context;

    told->is_done = is_done;
    sem_post(&told->news);
}

bool replaced_later(
    StoreView *view, const Collection *collection, Record *record, const void *event)
{
    Told told = { .is_done = false };

    sem_init(&told.news, 0, 0);
    store_replace_later(view, collection, record, event, tell, &told);
    while (sem_wait(&told.news))
        continue;
    sem_destroy(&told.news);
    return told.is_done;
}

void check_reason(const Error *error, const char *reason, const char *file, int line)
{
    char message[600];

    snprintf(message, sizeof(message), "%s is %s (%s)", error_reason(error), reason,
        error ? error->message : "");
    CU_assertImplementation(
        text_equal(error_reason(error), reason), (unsigned)line, message, file, "", CU_FALSE);
}

static void start_embedded(void)
{
    fixture_start(EMBEDDED);
}

static void start_mongo(void)
{
    fixture_start(MONGO);
}

static void skip_mongo(void)
{
    test_skip(engine_missing(MONGO));
}

static CU_TestInfo *cases_of(EngineKind kind, const char *engine, const CU_TestInfo *const *tables)
{
    CU_TestInfo *cases = calloc(1, sizeof(*cases));
    size_t count = 0;

    for (; cases && *tables; tables++)
        for (const CU_TestInfo *it = *tables; it->pName; it++) {
            char *name;

            cases = realloc(cases, (count + 2) * sizeof(*cases));
            if (!cases || asprintf(&name, "%s/%s", engine, it->pName) < 0)
                abort();
            cases[count++] =
                (CU_TestInfo){ name, engine_missing(kind) ? skip_mongo : it->pTestFunc };
            cases[count] = (CU_TestInfo)CU_TEST_INFO_NULL;
        }
    return cases;
}

static void free_cases(CU_TestInfo *cases)
{
    for (CU_TestInfo *it = cases; it->pName; it++)
        free((char *)(uintptr_t)it->pName);
    free(cases);
}

int fixture_main(const char *name, const CU_TestInfo *const *tables, int argc, char **argv)
{
    bool has_mongo = !engine_missing(MONGO);
    CU_TestInfo *embedded = cases_of(EMBEDDED, "embedded", tables);
    CU_TestInfo *mongo = cases_of(MONGO, "mongo", tables);
    CU_SuiteInfo suites[] = {
        { .pName = "embedded",
            .pSetUpFunc = start_embedded,
            .pTearDownFunc = fixture_stop,
            .pTests = embedded },
        { .pName = "mongo",
            .pSetUpFunc = has_mongo ? start_mongo : NULL,
            .pTearDownFunc = has_mongo ? fixture_stop : NULL,
            .pTests = mongo },
        CU_SUITE_INFO_NULL,
    };
    int result = test_main(name, suites, argc, argv);

    free_cases(embedded);
    free_cases(mongo);
    return result;
}
