/* The parts of the h2 engine that need no wire: gRPC's headers and framing, and who is one peer. */
#include "shared/rpc/transport_h2.h"
#include "tests/support/test_main.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 100000 };

static Bytes text(const char *bytes)
{
    return (Bytes){ (const uint8_t *)bytes, strlen(bytes) };
}

static int64_t timeout_of(const char *header)
{
    int64_t micros = -1;

    return h2_timeout_read(text(header), &micros) ? micros : -1;
}

static void timeouts_have_digits_and_a_unit(void)
{
    CHECK_INT(timeout_of("1H"), INT64_C(3600000000));
    CHECK_INT(timeout_of("2M"), 120000000);
    CHECK_INT(timeout_of("3S"), 3000000);
    CHECK_INT(timeout_of("4m"), 4000);
    CHECK_INT(timeout_of("5u"), 5);
    CHECK_INT(timeout_of("1n"), 1);
    CHECK_INT(timeout_of("1001n"), 2);
    CHECK_INT(timeout_of("0S"), 0);
    CHECK_INT(timeout_of("99999999H"), INT64_C(99999999) * 3600 * 1000000);
}

static void other_timeouts_are_refused(void)
{
    static const char *const bad[] = { "", "S", "1", "1s", "1 S", "-1S", "+1S", "123456789S",
        "1.5S", "1SS", "0x1S" };

    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_INT(timeout_of(bad[i]), -1);
}

static void messages_are_percent_encoded(void)
{
    const char *message = "as \"asked\": 100 %,\n\xc3\xbc~";
    char out[100] = "";

    h2_percent_write(text(message), (uint8_t *)out);

    CHECK_TEXT(out, "as \"asked\": 100 %25,%0A%C3%BC~");
}

static void what_is_no_percent_encoding_stands_for_itself(void)
{
    static const char *const pairs[][2] = { { "100 %25,%0A%C3%bc~", "100 %,\n\xc3\xbc~" },
        { "", "" }, { "%", "%" }, { "%4", "%4" }, { "%4g%g4", "%4g%g4" }, { "%%41", "%A" } };
    Arena *arena = arena_new();

    for (size_t i = 0; i < COUNT(pairs); i++)
        CHECK_TEXT(h2_percent_read(arena, pairs[i][0]), pairs[i][1]);
    arena_free(arena);
}

static void base64_has_no_padding(void)
{
    static const char *const pairs[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" },
        { "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "\xfb\xff", "+/8" } };

    for (size_t i = 0; i < COUNT(pairs); i++) {
        char out[20] = "";

        CHECK_INT(h2_base64_write(text(pairs[i][0]), (uint8_t *)out),
            h2_base64_size(strlen(pairs[i][0])));
        CHECK_TEXT(out, pairs[i][1]);
    }
}

static void binary_values_are_split_at_commas(void)
{
    Arena *arena = arena_new();
    Bytes rest = text("Zg==, Zm8,,Zm9v"), value;
    static const char *const expected[] = { "f", "fo", "", "foo" };

    for (size_t i = 0; i < COUNT(expected); i++) {
        CU_ASSERT_FATAL(rest.data && h2_binary_next(arena, &rest, &value));
        CHECK_TEXT(arena_text_of(arena, (const char *)value.data, value.size), expected[i]);
    }
    CU_ASSERT_PTR_NULL(rest.data);
    rest = text("Zg==,Z");
    CU_ASSERT(h2_binary_next(arena, &rest, &value));
    CU_ASSERT_FALSE(h2_binary_next(arena, &rest, &value));
    arena_free(arena);
}

static void content_types_of_grpc_are_known(void)
{
    CU_ASSERT(h2_is_grpc(text("application/grpc")));
    CU_ASSERT(h2_is_grpc(text("application/grpc+proto")));
    CU_ASSERT(h2_is_grpc(text("application/grpc;charset=utf-8")));
    CU_ASSERT_FALSE(h2_is_grpc(text("application/grpc-web")));
    CU_ASSERT_FALSE(h2_is_grpc(text("application/json")));
    CU_ASSERT_FALSE(h2_is_grpc(text("")));
}

static void encodings_are_found_in_lists(void)
{
    CHECK_INT(h2_encoding_of(text("gzip")), H2_GZIP);
    CHECK_INT(h2_encoding_of(text("identity")), H2_IDENTITY);
    CHECK_INT(h2_encoding_of(text("snappy")), H2_ENCODING_UNKNOWN);
    CU_ASSERT(h2_list_has(text("identity, deflate,gzip"), "gzip"));
    CU_ASSERT_FALSE(h2_list_has(text("identity,xgzip,gzipx"), "gzip"));
    CU_ASSERT_FALSE(h2_list_has(text(""), "gzip"));
}

/* Feeds a stream in pieces; the messages found, glued with "|". */
static const char *read_in_pieces(Arena *arena, Bytes stream, size_t piece, H2Read *last)
{
    H2Reader reader = { 0 };
    const char *found = "";

    *last = H2_READ_MORE;
    for (size_t at = 0; at < stream.size; at += piece) {
        Bytes bytes = { stream.data + at, stream.size - at < piece ? stream.size - at : piece };
        H2Message *message;

        while ((*last = h2_reader_take(&reader, &bytes, MAX, &message)) == H2_READ_MESSAGE) {
            found = arena_printf(arena, "%s%.*s|", found, (int)message->base.bytes.size,
                (const char *)message->base.bytes.data);
            free(message);
        }
    }
    if (*last == H2_READ_MORE && !h2_reader_is_between(&reader))
        found = arena_printf(arena, "%s...", found);
    h2_reader_free(&reader);
    return found;
}

static void messages_are_whole_however_they_come(void)
{
    static const uint8_t stream[] = "\0\0\0\0\3one\0\0\0\0\0\0\0\0\0\5three\0\0\0\0\4fo";
    Arena *arena = arena_new();
    H2Read last;

    for (size_t piece = 1; piece < sizeof(stream); piece++)
        CHECK_TEXT(read_in_pieces(arena, (Bytes){ stream, sizeof(stream) - 1 }, piece, &last),
            "one||three|...");
    CHECK_TEXT(read_in_pieces(arena, (Bytes){ stream, 8 }, 3, &last), "one|");
    arena_free(arena);
}

static void bad_prefixes_are_refused(void)
{
    Arena *arena = arena_new();
    H2Read last;

    read_in_pieces(arena, (Bytes){ (const uint8_t *)"\2\0\0\0\1x", 6 }, 6, &last);
    CHECK_INT(last, H2_READ_MALFORMED);
    read_in_pieces(arena, (Bytes){ (const uint8_t *)"\0\0\1\x86\xa1x", 6 }, 6, &last);
    CHECK_INT(last, H2_READ_TOO_LARGE);
    read_in_pieces(arena, (Bytes){ (const uint8_t *)"\0\xff\xff\xff\xff", 5 }, 5, &last);
    CHECK_INT(last, H2_READ_TOO_LARGE);
    arena_free(arena);
}

/* A compressed message as it comes off the wire; NULL when it would not be smaller. */
static H2Message *compressed(Bytes plain)
{
    size_t size;
    uint8_t *bytes = h2_gzip(plain, &size);
    H2Reader reader = { 0 };
    H2Message *message = NULL;
    Bytes stream = { bytes, size + H2_PREFIX_BYTES };

    if (!bytes)
        return NULL;
    h2_prefix_write(bytes, true, size);
    CHECK_INT(h2_reader_take(&reader, &stream, MAX, &message), H2_READ_MESSAGE);
    free(bytes);
    return message;
}

static void what_is_compressed_comes_back(void)
{
    static uint8_t plain[MAX];
    H2Message *message;

    memset(plain, 'x', sizeof(plain));
    memcpy(plain + 500, "needle", 6);
    message = compressed((Bytes){ plain, sizeof(plain) });
    CU_ASSERT_FATAL(message != NULL);
    CU_ASSERT(message->base.bytes.size < sizeof(plain) / 10);

    CHECK_INT(h2_message_inflate(&message, MAX), H2_READ_MESSAGE);
    CHECK_INT(message->base.bytes.size, sizeof(plain));
    CU_ASSERT(message->base.is_compressed);
    CU_ASSERT(!memcmp(message->base.bytes.data, plain, sizeof(plain)));
    free(message);
}

static void what_would_grow_is_left_as_it_is(void)
{
    CU_ASSERT_PTR_NULL(compressed(text("abc")));
    CU_ASSERT_PTR_NULL(compressed((Bytes){ 0 }));
}

static void a_bomb_is_refused_at_the_limit(void)
{
    static uint8_t zeros[MAX];
    H2Message *message = compressed((Bytes){ zeros, sizeof(zeros) });

    CU_ASSERT_FATAL(message != NULL);
    CHECK_INT(h2_message_inflate(&message, MAX - 1), H2_READ_TOO_LARGE);
    CHECK_INT(h2_message_inflate(&message, 10), H2_READ_TOO_LARGE);
    free(message);
}

static void broken_compression_is_refused(void)
{
    static uint8_t zeros[1000];
    H2Message *message = compressed((Bytes){ zeros, sizeof(zeros) });

    CU_ASSERT_FATAL(message != NULL);
    message->got -= 5;
    CHECK_INT(h2_message_inflate(&message, MAX), H2_READ_MALFORMED);
    message->data[0] ^= 1;
    CHECK_INT(h2_message_inflate(&message, MAX), H2_READ_MALFORMED);
    free(message);
}

static H2Peer *add(H2Peers *peers, const char *address)
{
    const RpcLimits limits = { .max_connections_per_address = 1, .max_address_bytes = 1000 };
    struct sockaddr_in6 wide = { .sin6_family = AF_INET6 };
    struct sockaddr_storage name = { 0 };

    CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, address, &wide.sin6_addr), 1);
    memcpy(&name, &wide, sizeof(wide));
    return h2_peers_add(peers, &name, &limits);
}

static void addresses_of_one_network_are_one_peer(void)
{
    H2Peers *peers = h2_peers_new();
    H2Peer *first = add(peers, "2001:db8:1:2::1");
    H2Peer *mapped = add(peers, "::ffff:10.0.0.1");
    H2Peer *other = add(peers, "2001:db8:1:3::1");
    H2Peer *other_mapped = add(peers, "::ffff:10.0.0.2");

    CU_ASSERT(first && mapped && other && other_mapped);
    CU_ASSERT_PTR_NULL(add(peers, "2001:db8:1:2:ffff::2"));
    CU_ASSERT_PTR_NULL(add(peers, "::ffff:10.0.0.1"));

    h2_peers_drop(peers, first);
    h2_peers_drop(peers, mapped);
    h2_peers_drop(peers, other);
    h2_peers_drop(peers, other_mapped);
    h2_peers_free(peers);
}

int main(int argc, char **argv)
{
    CU_TestInfo headers[] = {
        { "timeouts have digits and a unit", timeouts_have_digits_and_a_unit },
        { "other timeouts are refused", other_timeouts_are_refused },
        { "messages are percent-encoded", messages_are_percent_encoded },
        { "what is no percent-encoding stands for itself",
            what_is_no_percent_encoding_stands_for_itself },
        { "base64 has no padding", base64_has_no_padding },
        { "binary values are split at commas", binary_values_are_split_at_commas },
        { "content types of gRPC are known", content_types_of_grpc_are_known },
        { "encodings are found in lists", encodings_are_found_in_lists },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo messages[] = {
        { "messages are whole however they come", messages_are_whole_however_they_come },
        { "bad prefixes are refused", bad_prefixes_are_refused },
        { "what is compressed comes back", what_is_compressed_comes_back },
        { "what would grow is left as it is", what_would_grow_is_left_as_it_is },
        { "a bomb is refused at the limit", a_bomb_is_refused_at_the_limit },
        { "broken compression is refused", broken_compression_is_refused },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo peers[] = {
        { "addresses of one network are one peer", addresses_of_one_network_are_one_peer },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "headers", .pTests = headers },
        { .pName = "messages", .pTests = messages },
        { .pName = "peers", .pTests = peers },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_h2_parts_test", suites, argc, argv);
}
