#include "shared/base/text.h"

#include "shared/base/id.h"
#include "tests/support/test_main.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static bool is_utf8(const char *text)
{
    return text_is_utf8((const uint8_t *)text, strlen(text));
}

static void texts_compare_with_nothing_too(void)
{
    CU_ASSERT(text_equal("a", "a"));
    CU_ASSERT(text_equal(NULL, NULL));
    CU_ASSERT(!text_equal("a", "b"));
    CU_ASSERT(!text_equal("a", NULL));
    CU_ASSERT(!text_equal(NULL, ""));
    CU_ASSERT(text_is_empty(NULL));
    CU_ASSERT(text_is_empty(""));
    CU_ASSERT(!text_is_empty(" "));
}

static void texts_start_and_end(void)
{
    CU_ASSERT(text_starts_with("carts/1", "carts/"));
    CU_ASSERT(text_starts_with("carts", ""));
    CU_ASSERT(!text_starts_with("cart", "carts"));
    CU_ASSERT(!text_starts_with(NULL, ""));
    CU_ASSERT(text_ends_with("a.proto", ".proto"));
    CU_ASSERT(text_ends_with("a", ""));
    CU_ASSERT(!text_ends_with("o", "proto"));
    CU_ASSERT(!text_ends_with(NULL, ""));
}

static void well_formed_utf8_is_accepted(void)
{
    CU_ASSERT(is_utf8(""));
    CU_ASSERT(is_utf8("plain text that is longer than one machine word"));
    CU_ASSERT(is_utf8("\x7f"));
    CU_ASSERT(is_utf8("\xc2\x80"));
    CU_ASSERT(is_utf8("\xdf\xbf"));
    CU_ASSERT(is_utf8("\xe0\xa0\x80"));
    CU_ASSERT(is_utf8("\xed\x9f\xbf"));
    CU_ASSERT(is_utf8("\xee\x80\x80"));
    CU_ASSERT(is_utf8("\xef\xbf\xbf"));
    CU_ASSERT(is_utf8("\xf0\x90\x80\x80"));
    CU_ASSERT(is_utf8("\xf4\x8f\xbf\xbf"));
    CU_ASSERT(is_utf8("Größe 41 – 店 – 🛒"));
}

static void overlong_forms_are_refused(void)
{
    CU_ASSERT(!is_utf8("\xc0\xaf"));
    CU_ASSERT(!is_utf8("\xc1\xbf"));
    CU_ASSERT(!is_utf8("\xe0\x80\xaf"));
    CU_ASSERT(!is_utf8("\xe0\x9f\xbf"));
    CU_ASSERT(!is_utf8("\xf0\x80\x80\xaf"));
    CU_ASSERT(!is_utf8("\xf0\x8f\xbf\xbf"));
    CU_ASSERT(!text_is_utf8((const uint8_t *)"\xc0\x80", 2));
}

static void surrogates_and_what_lies_beyond_unicode_are_refused(void)
{
    CU_ASSERT(!is_utf8("\xed\xa0\x80"));
    CU_ASSERT(!is_utf8("\xed\xaf\xbf"));
    CU_ASSERT(!is_utf8("\xed\xb0\x80"));
    CU_ASSERT(!is_utf8("\xed\xbf\xbf"));
    CU_ASSERT(!is_utf8("\xf4\x90\x80\x80"));
    CU_ASSERT(!is_utf8("\xf5\x80\x80\x80"));
    CU_ASSERT(!is_utf8("\xff"));
    CU_ASSERT(!is_utf8("\xfe"));
}

static void cut_and_lonely_bytes_are_refused_at_every_place(void)
{
    static const char *const bad[] = { "\x80", "\xbf", "\xc2", "\xe2\x82", "\xf0\x9f\x9b", "\xe2",
        "\xf0", "\xc2 ", "\xe2\x82 ", "\xf0\x9f\x9b ", "\xe2(\xa1" };

    for (size_t i = 0; i < COUNT(bad); i++)
        for (size_t before = 0; before < 20; before++) {
            char *text = arena_printf(arena, "%.*s%s", (int)before, "abcdefghijklmnopqrst", bad[i]);

            CU_ASSERT(!is_utf8(text));
        }
}

static void a_nul_is_refused_at_every_place(void)
{
    for (size_t at = 0; at < 24; at++) {
        uint8_t bytes[24];

        memset(bytes, 'a', sizeof(bytes));
        bytes[at] = 0;

        CU_ASSERT(!text_is_utf8(bytes, sizeof(bytes)));
        bytes[at] = 'a';
        CU_ASSERT(text_is_utf8(bytes, sizeof(bytes)));
    }
}

/* Decodes as Unicode defines it, without the table that the code uses. */
static bool is_utf8_by_decoding(const uint8_t *bytes, size_t size)
{
    static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };

    for (size_t at = 0; at < size;) {
        uint8_t lead = bytes[at];
        size_t length = lead < 0x80    ? 1
                        : lead >= 0xf0 ? 4
                        : lead >= 0xe0 ? 3
                        : lead >= 0xc0 ? 2
                                       : 0;
        uint32_t point = length == 1 ? lead : length == 0 ? 0 : lead & (0x7fu >> length);

        if (length == 0 || lead >= 0xf8 || at + length > size)
            return false;
        for (size_t i = 1; i < length; i++) {
            if (bytes[at + i] >> 6 != 2)
                return false;
            point = point << 6 | (bytes[at + i] & 0x3fu);
        }
        if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        at += length;
    }
    return true;
}

static void utf8_agrees_with_decoding_for_all_two_and_many_random_byte_strings(void)
{
    unsigned seed = 20250101;

    for (unsigned pair = 0; pair < 0x10000; pair++) {
        uint8_t bytes[2] = { (uint8_t)(pair >> 8), (uint8_t)pair };

        if (text_is_utf8(bytes, 2) != is_utf8_by_decoding(bytes, 2))
            CHECK_INT(pair, -1);
    }
    for (int round = 0; round < 200000; round++) {
        static const uint8_t likely[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
            0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5,
            0xff };
        uint8_t bytes[12];
        size_t size = (size_t)(rand_r(&seed) % 12) + 1;

        for (size_t i = 0; i < size; i++)
            bytes[i] = likely[(size_t)rand_r(&seed) % COUNT(likely)];
        if (text_is_utf8(bytes, size) != is_utf8_by_decoding(bytes, size))
            CHECK_TEXT(text_hex(arena, bytes, size), "the same answer");
    }
}

static void length_counts_code_points(void)
{
    CHECK_INT(text_length(""), 0);
    CHECK_INT(text_length("Größe"), 5);
    CHECK_INT(text_length("店🛒"), 2);
}

static void lower_changes_ascii_alone(void)
{
    CHECK_TEXT(text_lower(arena, "ABC xyz Z@[`{ 09 ÄÖ"), "abc xyz z@[`{ 09 ÄÖ");
    CHECK_TEXT(text_lower(arena, NULL), "");
}

static void trim_cuts_white_space_at_both_ends(void)
{
    CHECK_TEXT(text_trim(arena, " \t\r\n a b \v\f "), "a b");
    CHECK_TEXT(text_trim(arena, "   "), "");
    CHECK_TEXT(text_trim(arena, ""), "");
    CHECK_TEXT(text_trim(arena, NULL), "");
    CHECK_TEXT(text_trim(arena, "ä"), "ä");
}

static void names_match_their_pattern(void)
{
    CU_ASSERT(text_matches_name("carts/01h-x_y.z~9", "carts/*"));
    CU_ASSERT(text_matches_name("carts/a/lines/b", "carts/*/lines/*"));
    CU_ASSERT(!text_matches_name("carts/", "carts/*"));
    CU_ASSERT(!text_matches_name("carts", "carts/*"));
    CU_ASSERT(!text_matches_name("cart/1", "carts/*"));
    CU_ASSERT(!text_matches_name("carts/a/b", "carts/*"));
    CU_ASSERT(!text_matches_name("carts/a/lines/", "carts/*/lines/*"));
    CU_ASSERT(!text_matches_name("carts/a//lines/b", "carts/*/lines/*"));
    CU_ASSERT(!text_matches_name("/carts/a", "carts/*"));
    CU_ASSERT(!text_matches_name("", "carts/*"));
    CU_ASSERT(!text_matches_name(NULL, "carts/*"));
}

static void names_take_only_their_characters(void)
{
    CU_ASSERT(!text_matches_name("carts/A", "carts/*"));
    CU_ASSERT(!text_matches_name("carts/a b", "carts/*"));
    CU_ASSERT(!text_matches_name("carts/a\n", "carts/*"));
    CU_ASSERT(!text_matches_name("carts/ä", "carts/*"));
    CU_ASSERT(!text_matches_name("carts/*", "carts/*"));
    CU_ASSERT(!text_matches_name("carts/a%2f", "carts/*"));
}

static void a_segment_has_at_most_63_characters(void)
{
    CU_ASSERT(text_matches_name(arena_printf(arena, "carts/%063d", 0), "carts/*"));
    CU_ASSERT(!text_matches_name(arena_printf(arena, "carts/%064d", 0), "carts/*"));
    CU_ASSERT(!text_matches_name(arena_printf(arena, "carts/%064d/lines/a", 0), "carts/*/lines/*"));
}

static void hex_is_lower_case(void)
{
    CHECK_TEXT(text_hex(arena, (const uint8_t *)"\x00\x9f\xff", 3), "009fff");
    CHECK_TEXT(text_hex(arena, NULL, 0), "");
}

/* RFC 4648, 10. */
static void base64url_gives_the_vectors_of_its_rfc_without_padding(void)
{
    static const char *const vectors[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" },
        { "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" } };

    for (size_t i = 0; i < COUNT(vectors); i++) {
        Bytes bytes = { 0 };

        CHECK_TEXT(text_base64url(arena, (const uint8_t *)vectors[i][0], strlen(vectors[i][0])),
            vectors[i][1]);
        CU_ASSERT(text_from_base64(arena, vectors[i][1], &bytes));
        CHECK_TEXT(arena_text_of(arena, (const char *)bytes.data, bytes.size), vectors[i][0]);
    }
    CHECK_TEXT(text_base64url(arena, (const uint8_t *)"\xfb\xff\xfe", 3), "-__-");
}

static void base64_is_read_in_both_alphabets_with_or_without_padding(void)
{
    static const char *const same[] = { "-__-_w", "+//+/w", "-__-_w==", "+//+/w==" };
    Bytes bytes;

    for (size_t i = 0; i < COUNT(same); i++) {
        CU_ASSERT(text_from_base64(arena, same[i], &bytes));
        CHECK_TEXT(text_hex(arena, bytes.data, bytes.size), "fbfffeff");
    }
}

static void what_is_not_base64_is_refused(void)
{
    static const char *const bad[] = { "A", "AAAAA", "Zg=", "Zg===", "Zm9v=", "====", "=",
        "Z=g=", "Zm 9", "Zm9v\n", "Zm9*", "Zh", "Zm9", "ä123" };
    Bytes bytes;

    for (size_t i = 0; i < COUNT(bad); i++)
        if (text_from_base64(arena, bad[i], &bytes))
            CHECK_TEXT(bad[i], "refused");
    CU_ASSERT(!text_from_base64(arena, NULL, &bytes));
}

static void random_bytes_survive_base64(void)
{
    for (size_t size = 0; size < 200; size++) {
        uint8_t raw[200];
        Bytes bytes;

        id_random(raw, size);

        CU_ASSERT(text_from_base64(arena, text_base64url(arena, raw, size), &bytes));
        CHECK_INT(bytes.size, size);
        CU_ASSERT(!memcmp(bytes.data, raw, size));
    }
}

static void the_hash_is_fnv_1a(void)
{
    CU_ASSERT(text_hash("", 0) == 0xcbf29ce484222325u);
    CU_ASSERT(text_hash("a", 1) == 0xaf63dc4c8601ec8cu);
    CU_ASSERT(text_hash("foobar", 6) == 0x85944171f73967e8u);
}

static void whole_numbers_are_read_whole_or_not_at_all(void)
{
    static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "--1", "1-",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999999" };
    int64_t value = 7;

    for (size_t i = 0; i < COUNT(bad); i++)
        if (text_to_int64(bad[i], &value))
            CHECK_TEXT(bad[i], "refused");
    CU_ASSERT(!text_to_int64(NULL, &value));
    CHECK_INT(value, 7);
    CU_ASSERT(text_to_int64("9223372036854775807", &value) && value == INT64_MAX);
    CU_ASSERT(text_to_int64("-9223372036854775808", &value) && value == INT64_MIN);
    CU_ASSERT(text_to_int64("-0", &value) && value == 0);
    CU_ASSERT(text_to_int64("007", &value) && value == 7);
}

static void decimal_numbers_are_read_whole_or_not_at_all(void)
{
    static const char *const bad[] = { "", "-", ".", "e", "1e", "1e400", "-1e400", "nan", "inf",
        "0x1p3", " 1", "1 ", "1,5", "1.2.3", "+1", "1e+", "--1" };
    double value = 7;

    for (size_t i = 0; i < COUNT(bad); i++)
        if (text_to_double(bad[i], &value))
            CHECK_TEXT(bad[i], "refused");
    CU_ASSERT(!text_to_double(NULL, &value));
    CU_ASSERT(value == 7);
    CU_ASSERT(text_to_double("-12.5e-1", &value) && value == -1.25);
    CU_ASSERT(text_to_double("1E3", &value) && value == 1000);
    CU_ASSERT(text_to_double("0.1", &value) && value == 0.1);
    CU_ASSERT(text_to_double("1e-400", &value) && fabs(value) < 1e-300);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "texts_compare_with_nothing_too", texts_compare_with_nothing_too },
        { "texts_start_and_end", texts_start_and_end },
        { "well_formed_utf8_is_accepted", well_formed_utf8_is_accepted },
        { "overlong_forms_are_refused", overlong_forms_are_refused },
        { "surrogates_and_what_lies_beyond_unicode_are_refused",
            surrogates_and_what_lies_beyond_unicode_are_refused },
        { "cut_and_lonely_bytes_are_refused_at_every_place",
            cut_and_lonely_bytes_are_refused_at_every_place },
        { "a_nul_is_refused_at_every_place", a_nul_is_refused_at_every_place },
        { "utf8_agrees_with_decoding_for_all_two_and_many_random_byte_strings",
            utf8_agrees_with_decoding_for_all_two_and_many_random_byte_strings },
        { "length_counts_code_points", length_counts_code_points },
        { "lower_changes_ascii_alone", lower_changes_ascii_alone },
        { "trim_cuts_white_space_at_both_ends", trim_cuts_white_space_at_both_ends },
        { "names_match_their_pattern", names_match_their_pattern },
        { "names_take_only_their_characters", names_take_only_their_characters },
        { "a_segment_has_at_most_63_characters", a_segment_has_at_most_63_characters },
        { "hex_is_lower_case", hex_is_lower_case },
        { "base64url_gives_the_vectors_of_its_rfc_without_padding",
            base64url_gives_the_vectors_of_its_rfc_without_padding },
        { "base64_is_read_in_both_alphabets_with_or_without_padding",
            base64_is_read_in_both_alphabets_with_or_without_padding },
        { "what_is_not_base64_is_refused", what_is_not_base64_is_refused },
        { "random_bytes_survive_base64", random_bytes_survive_base64 },
        { "the_hash_is_fnv_1a", the_hash_is_fnv_1a },
        { "whole_numbers_are_read_whole_or_not_at_all",
            whole_numbers_are_read_whole_or_not_at_all },
        { "decimal_numbers_are_read_whole_or_not_at_all",
            decimal_numbers_are_read_whole_or_not_at_all },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "text", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_text", suites, argc, argv);
}
