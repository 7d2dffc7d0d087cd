#include "shared/base/clock.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <stdlib.h>
#include <time.h>

static const int64_t second = 1000000;

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void the_clocks_turn_forward(void)
{
    int64_t now = clock_now();
    int64_t before = clock_monotonic();

    clock_sleep_ms(20);

    CU_ASSERT(clock_monotonic() - before >= 20000);
    CU_ASSERT(llabs(now / second - (int64_t)time(NULL)) <= 2);
}

static void a_sleep_of_nothing_returns_at_once(void)
{
    int64_t before = clock_monotonic();

    clock_sleep_ms(0);
    clock_sleep_ms(-5);

    CU_ASSERT(clock_monotonic() - before < second);
}

static void times_have_as_few_digits_as_they_need(void)
{
    CHECK_TEXT(clock_format(arena, 0), "1970-01-01T00:00:00Z");
    CHECK_TEXT(clock_format(arena, 120000), "1970-01-01T00:00:00.120Z");
    CHECK_TEXT(clock_format(arena, 120001), "1970-01-01T00:00:00.120001Z");
    CHECK_TEXT(clock_format(arena, -1), "1969-12-31T23:59:59.999999Z");
    CHECK_TEXT(clock_format(arena, -second), "1969-12-31T23:59:59Z");
    CHECK_TEXT(clock_format(arena, 1709164800 * second), "2024-02-29T00:00:00Z");
}

static void times_outside_the_years_are_the_nearest_inside(void)
{
    CHECK_TEXT(clock_format(arena, INT64_MAX), "9999-12-31T23:59:59Z");
    CHECK_TEXT(clock_format(arena, INT64_MIN), "0001-01-01T00:00:00Z");
}

static void times_are_read_with_any_offset(void)
{
    static const struct {
        const char *text;
        int64_t expected;
    } cases[] = { { "1970-01-01T00:00:00Z", 0 }, { "1970-01-01t00:00:01z", 1000000 },
        { "1970-01-01T02:00:00+02:00", 0 }, { "1969-12-31T18:29:59.5-05:30", -500000 },
        { "1970-01-01T00:00:00.1Z", 100000 }, { "1970-01-01T00:00:00.123456789Z", 123456 },
        { "2024-02-29T00:00:00Z", 1709164800000000 }, { "1970-01-01T00:00:00-00:00", 0 },
        { "9999-12-31T23:59:59.999999Z", 253402300799999999 },
        { "0001-01-01T00:00:00Z", -62135596800000000 } };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t micros = 1;

        CU_ASSERT(clock_parse(cases[i].text, &micros));
        CHECK_INT(micros, cases[i].expected);
    }
}

static void what_is_not_a_time_is_refused(void)
{
    static const char *const bad[] = { "", "now", "1970-01-01", "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z", "1970-1-01T00:00:00Z", "70-01-01T00:00:00Z", "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z", "1970-01-32T00:00:00Z", "1970-01-00T00:00:00Z",
        "2023-02-29T00:00:00Z", "2024-04-31T00:00:00Z", "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z", "1970-01-01T00:00:60Z", "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00.1", "1970-01-01T00:00:00+2:00", "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+00:60", "1970-01-01T00:00:00Zx", "1970-01-01T00:00:00+0000",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "-970-01-01T00:00:00Z", " 1970-01-01T00:00:00Z" };
    int64_t micros = 7;

    for (size_t i = 0; i < COUNT(bad); i++)
        if (clock_parse(bad[i], &micros))
            CHECK_TEXT(bad[i], "refused");
    CU_ASSERT(!clock_parse(NULL, &micros));
    CHECK_INT(micros, 7);
}

static void every_time_survives_its_text(void)
{
    unsigned seed = 3;

    for (int round = 0; round < 20000; round++) {
        int64_t span = 315537897599; /* seconds from year 1 to the end of 9999 */
        int64_t random = (int64_t)rand_r(&seed) << 31 | rand_r(&seed);
        int64_t micros = (random % span - 62135596800) * second + rand_r(&seed) % 1000000;
        int64_t back = 0;
        char text[CLOCK_TEXT_SIZE];

        CU_ASSERT(clock_parse(clock_print(micros, text), &back));
        CHECK_INT(back, micros);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "the_clocks_turn_forward", the_clocks_turn_forward },
        { "a_sleep_of_nothing_returns_at_once", a_sleep_of_nothing_returns_at_once },
        { "times_have_as_few_digits_as_they_need", times_have_as_few_digits_as_they_need },
        { "times_outside_the_years_are_the_nearest_inside",
            times_outside_the_years_are_the_nearest_inside },
        { "times_are_read_with_any_offset", times_are_read_with_any_offset },
        { "what_is_not_a_time_is_refused", what_is_not_a_time_is_refused },
        { "every_time_survives_its_text", every_time_survives_its_text },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "clock", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_clock", suites, argc, argv);
}
