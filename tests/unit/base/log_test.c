/* Each test writes its lines into a file that takes the place of standard output. */
#include "shared/base/log.h"

#include "shared/base/arena.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, LINES_EACH = 500 };

static Arena *arena;
static int saved_output;
static int captured;

static void set_up(void)
{
    arena = arena_new();
    captured = open(test_folder(), O_TMPFILE | O_RDWR, 0600);
    fflush(stdout);
    saved_output = dup(STDOUT_FILENO);
    dup2(captured, STDOUT_FILENO);
    log_setup("cart", LOG_DEBUG);
}

static void tear_down(void)
{
    dup2(saved_output, STDOUT_FILENO);
    close(saved_output);
    close(captured);
    arena_free(arena);
}

/* All that was written so far. */
static const char *output(void)
{
    off_t size = lseek(captured, 0, SEEK_END);
    char *text = arena_alloc(arena, (size_t)size + 1);

    if (pread(captured, text, (size_t)size, 0) != size)
        abort();
    return text;
}

/* The line without its time, which is checked here. */
static const char *line_without_time(const char *line)
{
    static const char start[] = "{\"time\":\"";
    const char *end = strchr(line + strlen(start), '"');
    int64_t micros = 0;

    CU_ASSERT_FATAL(text_starts_with(line, start) && end);
    CU_ASSERT(clock_parse(
        arena_text_of(arena, line + strlen(start), (size_t)(end - line) - strlen(start)), &micros));
    CU_ASSERT(llabs(clock_now() - micros) < 60 * 1000000);
    return end + 1;
}

static void a_line_is_one_json_object(void)
{
    log_write(LOG_INFO, "call",
        (const LogField[]){ { "method", "cart.v1/AddLine" }, { "micros", .number = -5 },
            { "size", .number = INT64_MAX }, { 0 } });

    CHECK_TEXT(line_without_time(output()),
        ",\"level\":\"info\",\"service\":\"cart\",\"event\":\"call\","
        "\"method\":\"cart.v1/AddLine\",\"micros\":-5,\"size\":9223372036854775807}\n");
}

static void a_line_may_have_no_fields(void)
{
    log_write(LOG_ERROR, "stopped", NULL);
    log_write(LOG_WARN, "slow", (const LogField[]){ { 0 } });

    CHECK_TEXT(line_without_time(output()),
        arena_printf(arena, ",\"level\":\"error\",\"service\":\"cart\",\"event\":\"stopped\"}\n%s",
            strchr(output(), '\n') + 1));
    CHECK_TEXT(line_without_time(strchr(output(), '\n') + 1),
        ",\"level\":\"warn\",\"service\":\"cart\",\"event\":\"slow\"}\n");
}

static void quotes_and_controls_are_escaped(void)
{
    log_write(LOG_INFO, "a\"b\\c", (const LogField[]){ { "k\n", "\t\x01\x7f/é🛒" }, { 0 } });

    CHECK_CONTAINS(
        output(), "\"event\":\"a\\\"b\\\\c\",\"k\\u000a\":\"\\u0009\\u0001\\u007f/é🛒\"}");
}

static void bytes_that_are_not_utf8_are_replaced(void)
{
    log_write(
        LOG_INFO, "x", (const LogField[]){ { "t", "a\xff\xc3(\xed\xa0\x80\xf0\x9f\x9b" }, { 0 } });

    CHECK_CONTAINS(output(), "\"t\":\"a��(������\"}");
    CU_ASSERT(text_is_utf8((const uint8_t *)output(), strlen(output())));
}

static void the_level_decides_what_is_written(void)
{
    log_setup("cart", LOG_WARN);

    log_write(LOG_DEBUG, "no", NULL);
    log_write(LOG_INFO, "no", NULL);
    CHECK_TEXT(output(), "");
    CU_ASSERT(!log_is_on(LOG_INFO) && log_is_on(LOG_WARN) && log_is_on(LOG_ERROR));

    log_setup("cart", LOG_OFF);
    log_write(LOG_ERROR, "no", NULL);
    CHECK_TEXT(output(), "");
    CU_ASSERT(!log_is_on(LOG_OFF));
}

static void levels_have_names(void)
{
    LogLevel level = LOG_OFF;

    CU_ASSERT(log_level_from("debug", &level) && level == LOG_DEBUG);
    CU_ASSERT(log_level_from("error", &level) && level == LOG_ERROR);
    CU_ASSERT(log_level_from("off", &level) && level == LOG_OFF);
    CU_ASSERT(!log_level_from("DEBUG", &level));
    CU_ASSERT(!log_level_from("", &level));
    CU_ASSERT(!log_level_from(NULL, &level));
}

static void a_long_text_is_cut_between_characters(void)
{
    char text[3001];

    for (int i = 0; i < 1500; i++)
        memcpy(text + 2 * i, "é", 3);
    log_write(LOG_INFO, "x", (const LogField[]){ { "t", text }, { "after", "here" }, { 0 } });

    CHECK_CONTAINS(output(), "é…\",\"after\":\"here\"}\n");
    CU_ASSERT(text_is_utf8((const uint8_t *)output(), strlen(output())));
}

static void a_line_that_is_too_long_ends_whole_and_says_so(void)
{
    char text[1001];
    LogField fields[12] = { 0 };

    memset(text, '\n', 1000); /* six bytes each when escaped */
    text[1000] = '\0';
    for (int i = 0; i < 11; i++)
        fields[i] = (LogField){ "t", text, 0 };
    log_write(LOG_INFO, "x", fields);

    CU_ASSERT(strlen(output()) <= PIPE_BUF);
    CU_ASSERT(text_ends_with(output(), "\"event\":\"x\",\"incomplete\":true}\n"));
}

static void as_many_fields_as_fit_are_kept(void)
{
    char text[901];
    LogField fields[8] = { 0 };

    memset(text, 'a', 900);
    text[900] = '\0';
    for (int i = 0; i < 7; i++)
        fields[i] = (LogField){ "t", text, 0 };
    log_write(LOG_INFO, "x", fields);

    CU_ASSERT(strlen(output()) > 3600 && strlen(output()) <= PIPE_BUF);
    CU_ASSERT(text_ends_with(output(), "aaa\",\"incomplete\":true}\n"));
}

static void *write_lines(void *context)
{
    for (int i = 0; i < LINES_EACH; i++)
        log_write(LOG_INFO, "line", (const LogField[]){ { "from", context }, { 0 } });
    return NULL;
}

static void lines_of_many_threads_do_not_mix(void)
{
    pthread_t threads[THREADS];
    char name[] = "a thread";
    int n_lines = 0;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_lines, name);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    for (const char *line = output(), *end; (end = strchr(line, '\n')); line = end + 1, n_lines++) {
        CU_ASSERT(text_starts_with(line, "{\"time\":\""));
        CU_ASSERT(text_ends_with(arena_text_of(arena, line, (size_t)(end - line)),
            ",\"event\":\"line\",\"from\":\"a thread\"}"));
    }
    CHECK_INT(n_lines, THREADS * LINES_EACH);
}

static void a_log_that_cannot_be_written_stops_nobody(void)
{
    int full = open("/dev/full", O_WRONLY);

    dup2(full, STDOUT_FILENO);
    close(full);
    log_write(LOG_INFO, "lost", NULL);
    close(STDOUT_FILENO);
    log_write(LOG_INFO, "lost", NULL);
    dup2(captured, STDOUT_FILENO);
    log_write(LOG_INFO, "kept", NULL);

    CHECK_CONTAINS(output(), "kept");
    CU_ASSERT(strstr(output(), "lost") == NULL);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_line_is_one_json_object", a_line_is_one_json_object },
        { "a_line_may_have_no_fields", a_line_may_have_no_fields },
        { "quotes_and_controls_are_escaped", quotes_and_controls_are_escaped },
        { "bytes_that_are_not_utf8_are_replaced", bytes_that_are_not_utf8_are_replaced },
        { "the_level_decides_what_is_written", the_level_decides_what_is_written },
        { "levels_have_names", levels_have_names },
        { "a_long_text_is_cut_between_characters", a_long_text_is_cut_between_characters },
        { "a_line_that_is_too_long_ends_whole_and_says_so",
            a_line_that_is_too_long_ends_whole_and_says_so },
        { "as_many_fields_as_fit_are_kept", as_many_fields_as_fit_are_kept },
        { "lines_of_many_threads_do_not_mix", lines_of_many_threads_do_not_mix },
        { "a_log_that_cannot_be_written_stops_nobody", a_log_that_cannot_be_written_stops_nobody },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "log", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_log", suites, argc, argv);
}
