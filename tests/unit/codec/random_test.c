/* Random messages of every type there is survive every round trip. The seed is printed; CODEC_SEED and CODEC_ROUNDS
 * (messages a type) set others. */
#include "tests/unit/codec/random_message.h"

#include "everything.pb-c.h"
#include "proto/descriptor_set.h"
#include "shared/base/id.h"
#include "shared/base/text.h"
#include "shared/codec/bson.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/codec/unpack.h"
#include "tests/support/test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_ROUNDS = 200,
    CI_ROUNDS = 20,
    QUICK_ROUNDS = 8,
    CHANGES = 8,
    ROOM_TO_SPARE = 32,
    PIECES = 20000,
    MAX_PIECE_BYTES = 200
};

typedef bool (*RoundTrip)(Arena *arena, const ProtobufCMessage *message);

static int64_t seed;
static int64_t rounds;

static bool survives_wire(Arena *arena, const ProtobufCMessage *message)
{
    Bytes bytes = message_pack(arena, message);
    void *back;

    if (scan_message(arena, message->descriptor, bytes))
        return false;
    back = message_unpack(arena, message->descriptor, bytes);
    return back && message_equal(message, back);
}

static bool packs_as_protobuf_c_does(Arena *arena, const ProtobufCMessage *message)
{
    Bytes bytes = message_pack(arena, message);
    uint8_t *expected = arena_alloc(arena, protobuf_c_message_get_packed_size(message));

    return bytes.size == protobuf_c_message_pack(message, expected) &&
           !memcmp(bytes.data, expected, bytes.size);
}

static bool is_usual_type(const ProtobufCMessageDescriptor *type)
{
    return type == &throughline__test__v1__everything__descriptor ||
           text_starts_with(type->name, "throughline.catalog.");
}

/* Where ours reads the bytes, protobuf-c reads them too, and as the same. */
static bool agrees_with_protobuf_c(
    Arena *arena, const ProtobufCMessageDescriptor *type, Bytes bytes)
{
    void *ours = unpack_usual(arena, type, bytes);
    ProtobufCMessage *theirs;
    bool agrees;

    if (!ours)
        return true;
    theirs = protobuf_c_message_unpack(type, NULL, bytes.size, bytes.data);
    agrees = theirs && message_equal(ours, theirs);
    if (theirs)
        protobuf_c_message_free_unpacked(theirs, NULL);
    return agrees;
}

static bool unpacks_as_protobuf_c_does(Arena *arena, const ProtobufCMessage *message)
{
    Bytes bytes = message_pack(arena, message);
    Random random = { .state = (uint64_t)seed + bytes.size };
    uint8_t *changed;

    if (!agrees_with_protobuf_c(arena, message->descriptor, bytes) ||
        (is_usual_type(message->descriptor) && !unpack_usual(arena, message->descriptor, bytes)))
        return false;
    for (int i = 0; i < CHANGES && bytes.size; i++) {
        changed = arena_copy(arena, bytes.data, bytes.size);
        changed[random_below(&random, (uint32_t)bytes.size)] = (uint8_t)random_next(&random);
        if (!agrees_with_protobuf_c(arena, message->descriptor, (Bytes){ changed, bytes.size }))
            return false;
    }
    return true;
}

/* With any size of room: the same bytes, or none where it is short. */
static bool fits_into_room(Arena *arena, const ProtobufCMessage *message)
{
    Bytes expected = message_pack(arena, message), packed;
    size_t most = expected.size + ROOM_TO_SPARE;
    uint8_t *room = arena_alloc(arena, most);

    for (size_t size = ROOM_TO_SPARE; size <= most; size += 1 + expected.size / 8) {
        bool fits = message_pack_into(message, room + most - size, size, &packed);

        if (size < expected.size && fits)
            return false;
        if (fits && (packed.size != expected.size ||
                        memcmp(packed.data, expected.data, expected.size) != 0))
            return false;
    }
    return message_pack_into(message, room, most, &packed) && packed.size == expected.size;
}

/* Around any message inside it that is packed already: the same bytes. */
static bool packs_around_its_parts(Arena *arena, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    Bytes expected = message_pack(arena, message);

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const ProtobufCMessage *part;
        Bytes packed;

        if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED ||
            field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
            continue;
        part = *(ProtobufCMessage *const *)message_field(message, field->name);
        if (!part)
            continue;
        packed = message_pack_around(arena, message, part, message_pack(arena, part));
        if (packed.size != expected.size || memcmp(packed.data, expected.data, expected.size) != 0)
            return false;
    }
    return true;
}

static bool survives_bson(Arena *arena, const ProtobufCMessage *message)
{
    ProtobufCMessage *back = message_new(arena, message->descriptor);
    bson_t document = BSON_INITIALIZER;
    const Error *error;

    bson_append_message(&document, message);
    error = bson_read_message(arena, &document, back);
    bson_destroy(&document);
    return !error && message_equal(message, back);
}

static bool survives_json(Arena *arena, const ProtobufCMessage *message)
{
    static const JsonStyle styles[] = { JSON_COMPACT, JSON_PRETTY, JSON_WITH_DEFAULTS };

    for (size_t i = 0; i < COUNT(styles); i++) {
        const char *json = json_from_message(arena, message, styles[i]);
        Bytes text = { (const uint8_t *)json, strlen(json) };
        const Error *error;
        void *back;

        error = json_to_message(arena, message->descriptor, text, &back);
        if (error)
            printf("  %s\n", error->message);
        /* A proto2 field without a value has one when defaults are written. */
        if (error || (styles[i] != JSON_WITH_DEFAULTS && !message_equal(message, back)))
            return false;
    }
    return true;
}

static void check_type(const ProtobufCMessageDescriptor *type, Random *random, RoundTrip survives)
{
    Arena *arena = arena_new();

    for (int64_t i = 0; i < rounds; i++) {
        uint64_t state = random->state;
        void *message = random_message(random, arena, type);

        if (!survives(arena, message)) {
            printf("  %s does not survive, CODEC_SEED=%lld, state %llu\n", type->name,
                (long long)seed, (unsigned long long)state);
            CU_FAIL("a message was changed by the round trip");
            break;
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

static void check_all(RoundTrip survives, bool with_unknown)
{
    Random random = { .state = (uint64_t)seed, .with_unknown = with_unknown };

    for (size_t i = 0; i < throughline_n_messages; i++)
        check_type(throughline_messages[i], &random, survives);
    check_type(&throughline__test__v1__everything__descriptor, &random, survives);
}

static void every_type_survives_the_wire(void)
{
    check_all(survives_wire, true);
}

static void every_type_survives_bson(void)
{
    check_all(survives_bson, true);
}

static void every_type_survives_json(void)
{
    check_all(survives_json, false);
}

static void every_type_is_packed_as_by_protobuf_c(void)
{
    check_all(packs_as_protobuf_c_does, true);
}

static void every_type_is_unpacked_as_by_protobuf_c(void)
{
    check_all(unpacks_as_protobuf_c_does, false);
}

/* Two fields by turns: a second run of one would otherwise copy the first, a third both, and so on. */
static void repeated_fields_in_pieces_take_no_more_memory(void)
{
    static const uint8_t piece[] = { 0xA8, 0x01, 1, 0xB0, 0x01, 1 }; /* many_int32, many_sint64 */
    Arena *arena = arena_new();
    uint8_t *bytes = arena_alloc(arena, PIECES * sizeof(piece));
    const ProtobufCMessageDescriptor *type = &throughline__test__v1__everything__descriptor;
    Throughline__Test__V1__Everything *message;

    for (size_t i = 0; i < PIECES; i++)
        memcpy(bytes + i * sizeof(piece), piece, sizeof(piece));
    message = message_unpack(arena, type, (Bytes){ bytes, PIECES * sizeof(piece) });
    CU_ASSERT_FATAL(message != NULL);
    CHECK_INT(message->n_many_int32, PIECES);
    CHECK_INT(message->n_many_sint64, PIECES);
    CU_ASSERT(arena_used(arena) < PIECES * MAX_PIECE_BYTES);
    arena_free(arena);
}

static void every_type_is_packed_into_room_that_is_there(void)
{
    check_all(fits_into_room, true);
}

static void every_type_is_packed_around_what_is_packed_already(void)
{
    check_all(packs_around_its_parts, true);
}

static CU_TestInfo tests[] = {
    { "every_type_is_packed_as_by_protobuf_c", every_type_is_packed_as_by_protobuf_c },
    { "every_type_is_packed_into_room_that_is_there",
        every_type_is_packed_into_room_that_is_there },
    { "every_type_is_packed_around_what_is_packed_already",
        every_type_is_packed_around_what_is_packed_already },
    { "every_type_is_unpacked_as_by_protobuf_c", every_type_is_unpacked_as_by_protobuf_c },
    { "repeated_fields_in_pieces_take_no_more_memory",
        repeated_fields_in_pieces_take_no_more_memory },
    { "every_type_survives_the_wire", every_type_survives_the_wire },
    { "every_type_survives_bson", every_type_survives_bson },
    { "every_type_survives_json", every_type_survives_json },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "random", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    id_random(&seed, sizeof(seed));
    if (getenv("CODEC_SEED") && !text_to_int64(getenv("CODEC_SEED"), &seed))
        abort();
    rounds = test_size(QUICK_ROUNDS, CI_ROUNDS, DEFAULT_ROUNDS);
    if (getenv("CODEC_ROUNDS") && !text_to_int64(getenv("CODEC_ROUNDS"), &rounds))
        abort();
    printf("  CODEC_SEED=%lld, %lld messages of each of %zu types\n", (long long)seed,
        (long long)rounds, throughline_n_messages + 1);
    return test_main("codec_random_test", suites, argc, argv);
}
