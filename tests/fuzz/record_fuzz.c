/* What the store reads back: bodies of documents, packed index entries, page tokens, marks. Damaged ones are refused; what is taken is
 * written again as the same. */
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/store/engine.h"
#include "shared/store/marks.h"
#include "shared/store/record.h"
#include "shared/store/resume.h"
#include "tests/fuzz/fuzz.h"

#include "throughline/echo/v1/record.pb-c.h"

#include <string.h>

typedef enum Kind { KIND_BODY, KIND_ENTRIES, KIND_TOKEN, KIND_MARKS, KIND_COUNT } Kind;

static const Collection records = {
    .name = "records",
    .message = &throughline__echo__v1__record__descriptor,
    .indexes = { { "by_owner", { "owner", "create_time" } },
        { "by_email", { "email" }, .is_unique = true }, { "by_key", { "keys.value", "count" } },
        { "by_share", { "share", "data" } } },
    .expire_field = "expire_time",
};

static void read_body(Arena *arena, Bytes bytes)
{
    Throughline__Echo__V1__Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
    Throughline__Echo__V1__Record again = record;
    EngineDocument document = { .name = "records/1", .version = 1, .body = bytes };
    IndexEntry *entries;
    size_t n_entries;

    if (!bytes.size) /* that is how an engine says that there is no document */
        return;
    if (record_decode(arena, &records, &body_wire, &document, &record))
        return;
    /* Nothing else was ever stored, and it has a checksum besides: only what is not taken must do no harm. */
    if (scan_message(arena, records.message, (Bytes){ bytes.data + 1, bytes.size - 1 }))
        return;
    must(!record_encode(arena, &records, &body_wire, &record, &document.body));
    must(!record_decode(arena, &records, &body_wire, &document, &again));
    must(message_equal(&record, &again) && !strcmp(record_name(&again), "records/1"));
    record_expire(&records, &record);
    if (keys_of_message(arena, &records, &record, &entries, &n_entries))
        return;
    for (size_t i = 1; i < n_entries; i++)
        must(entries[i - 1].index < entries[i].index ||
             (entries[i - 1].index == entries[i].index &&
                 keys_compare(entries[i - 1].key, entries[i].key) < 0));
}

static void read_entries(Arena *arena, Bytes bytes)
{
    IndexEntry *entries;
    size_t n_entries;
    Bytes packed;

    if (!keys_unpack(arena, bytes, &entries, &n_entries))
        return;
    packed = keys_pack(arena, entries, n_entries);
    must(packed.size == bytes.size &&
         (!packed.size || !memcmp(packed.data, bytes.data, packed.size)));
}

static void read_token(Arena *arena, Bytes bytes)
{
    const char *text = arena_text_of(arena, (const char *)bytes.data, bytes.size);
    EngineRange range = { .collection = &records, .index = KEYS_BY_NAME };
    EngineDocument last = { 0 };

    if (resume_read(arena, text, &range) || !range.after_name)
        return;
    last.name = range.after_name;
    must(*resume_write(arena, &range, &last) != '\0');
}

static void read_marks(Arena *arena, Bytes bytes)
{
    int64_t before = marks_find(bytes, "other");
    Bytes marks = marks_set(arena, bytes, "source", 7);

    /* Behind damage nothing is found, and nothing is found wrong. */
    if (marks_find(bytes, "source") != INT64_MIN)
        must(marks_find(marks, "source") == 7);
    must(marks_find(marks, "other") == before || before == INT64_MIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[KIND_COUNT])(
        Arena *, Bytes) = { read_body, read_entries, read_token, read_marks };
    Arena *arena;

    if (size < 1)
        return 0;
    arena = arena_new();
    readers[data[0] % KIND_COUNT](arena, (Bytes){ data + 1, size - 1 });
    arena_free(arena);
    return 0;
}
