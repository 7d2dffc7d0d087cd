/* The reader of separated values on good and nasty input. */
#include "services/catalog/import/csv.h"

#include "tests/support/test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reading {
    FILE *file;
    CsvReader *reader;
    CsvRow row;
} Reading;

static Reading read_bytes(const char *bytes, size_t size, char separator)
{
    Reading reading = { .file = tmpfile() };

    CU_ASSERT_PTR_NOT_NULL_FATAL(reading.file);
    fwrite(bytes, 1, size, reading.file);
    rewind(reading.file);
    reading.reader = csv_open(reading.file, separator);
    return reading;
}

static Reading read_text(const char *text, char separator)
{
    return read_bytes(text, strlen(text), separator);
}

static void end(Reading *reading)
{
    CU_ASSERT(!csv_next(reading->reader, &reading->row));
    csv_close(reading->reader);
    fclose(reading->file);
}

static bool next(Reading *reading)
{
    return csv_next(reading->reader, &reading->row);
}

static const char *field(const Reading *reading, size_t i)
{
    return i < reading->row.n_fields ? (const char *)reading->row.fields[i].data : NULL;
}

static void fields_are_split_and_rows_counted(void)
{
    Reading reading = read_text("a,b,c\n1,,3\r\n", ',');

    CU_ASSERT(next(&reading));
    CHECK_INT(reading.row.number, 1);
    CHECK_INT(reading.row.n_fields, 3);
    CHECK_TEXT(field(&reading, 0), "a");
    CHECK_TEXT(field(&reading, 2), "c");
    CU_ASSERT(next(&reading));
    CHECK_INT(reading.row.number, 2);
    CHECK_TEXT(field(&reading, 1), "");
    CHECK_TEXT(field(&reading, 2), "3");
    end(&reading);
}

static void quotes_hold_separators_lines_and_quotes(void)
{
    Reading reading = read_text("\"a,b\",\"two\nlines\",\"say \"\"hi\"\"\",\"\"\r\nx,y,z,w", ',');

    CU_ASSERT(next(&reading));
    CHECK_INT(reading.row.n_fields, 4);
    CHECK_TEXT(field(&reading, 0), "a,b");
    CHECK_TEXT(field(&reading, 1), "two\nlines");
    CHECK_TEXT(field(&reading, 2), "say \"hi\"");
    CHECK_TEXT(field(&reading, 3), "");
    CU_ASSERT(next(&reading));
    CHECK_INT(reading.row.number, 2);
    CHECK_TEXT(field(&reading, 3), "w");
    end(&reading);
}

static void a_quote_inside_a_bare_field_stands_for_itself(void)
{
    Reading reading = read_text("3.5\" disk|it's|\n", '|');

    CU_ASSERT(next(&reading));
    CHECK_INT(reading.row.n_fields, 3);
    CHECK_TEXT(field(&reading, 0), "3.5\" disk");
    CHECK_TEXT(field(&reading, 2), "");
    end(&reading);
}

static void blank_lines_are_passed_over(void)
{
    Reading reading = read_text("\n\r\na\n\n\nb\n\n", ',');

    CU_ASSERT(next(&reading));
    CHECK_TEXT(field(&reading, 0), "a");
    CU_ASSERT(next(&reading));
    CHECK_TEXT(field(&reading, 0), "b");
    CHECK_INT(reading.row.number, 2);
    end(&reading);
}

static void text_behind_a_quote_is_a_problem_of_its_row_alone(void)
{
    Reading reading = read_text("\"a\"b,c\nd,e\n", ',');

    CU_ASSERT(next(&reading));
    CHECK_TEXT(reading.row.problem, "text follows a closing quote");
    CU_ASSERT(next(&reading));
    CU_ASSERT_PTR_NULL(reading.row.problem);
    CHECK_TEXT(field(&reading, 0), "d");
    end(&reading);
}

static void a_quote_that_is_not_closed_is_a_problem(void)
{
    Reading reading = read_text("a,\"b\nc,d\n", ',');

    CU_ASSERT(next(&reading));
    CHECK_TEXT(reading.row.problem, "a quote is not closed");
    end(&reading);
}

static void an_open_quote_does_not_swallow_the_file(void)
{
    size_t size = CSV_MAX_ROW + 2000;
    char *bytes = malloc(size);
    Reading reading;
    int n_good = 0;

    memset(bytes, 'x', size);
    bytes[0] = '"';
    for (size_t i = 99; i < size; i += 100)
        bytes[i] = '\n';
    reading = read_bytes(bytes, size, ',');

    CU_ASSERT(next(&reading));
    CU_ASSERT_PTR_NOT_NULL(reading.row.problem);
    while (next(&reading))
        n_good += !reading.row.problem;
    CU_ASSERT(n_good >= 10);

    end(&reading);
    free(bytes);
}

static void too_many_fields_are_a_problem(void)
{
    char bytes[CSV_MAX_FIELDS + 8];
    Reading reading;

    memset(bytes, ',', sizeof(bytes));
    memcpy(bytes + sizeof(bytes) - 2, "\na", 2);
    reading = read_bytes(bytes, sizeof(bytes), ',');

    CU_ASSERT(next(&reading));
    CU_ASSERT_PTR_NOT_NULL(reading.row.problem);
    CU_ASSERT(next(&reading));
    CHECK_TEXT(field(&reading, 0), "a");
    end(&reading);
}

static void nul_bytes_are_kept_for_the_reader_to_see(void)
{
    Reading reading = read_bytes("a\0b,c\n", 6, ',');

    CU_ASSERT(next(&reading));
    CHECK_INT(reading.row.fields[0].size, 3);
    end(&reading);
}

static void an_empty_file_has_no_rows(void)
{
    Reading reading = read_text("", ',');

    end(&reading);
}

static void random_bytes_end_and_stay_in_bounds(void)
{
    unsigned seed = 42;
    char bytes[400];

    for (int round = 0; round < 2000; round++) {
        static const char likely[] = "\"\"\",,|\r\n\n ax\0";
        Reading reading;
        int64_t rows = 0;

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = likely[(size_t)rand_r(&seed) % sizeof(likely)];
        reading = read_bytes(bytes, sizeof(bytes), ',');
        while (next(&reading)) {
            CHECK_INT(reading.row.number, ++rows);
            for (size_t i = 0; i < reading.row.n_fields; i++)
                CHECK_INT(reading.row.fields[i].data[reading.row.fields[i].size], 0);
        }
        CU_ASSERT(rows <= (int64_t)sizeof(bytes));
        end(&reading);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "fields_are_split_and_rows_counted", fields_are_split_and_rows_counted },
        { "quotes_hold_separators_lines_and_quotes", quotes_hold_separators_lines_and_quotes },
        { "a_quote_inside_a_bare_field_stands_for_itself",
            a_quote_inside_a_bare_field_stands_for_itself },
        { "blank_lines_are_passed_over", blank_lines_are_passed_over },
        { "text_behind_a_quote_is_a_problem_of_its_row_alone",
            text_behind_a_quote_is_a_problem_of_its_row_alone },
        { "a_quote_that_is_not_closed_is_a_problem", a_quote_that_is_not_closed_is_a_problem },
        { "an_open_quote_does_not_swallow_the_file", an_open_quote_does_not_swallow_the_file },
        { "too_many_fields_are_a_problem", too_many_fields_are_a_problem },
        { "nul_bytes_are_kept_for_the_reader_to_see", nul_bytes_are_kept_for_the_reader_to_see },
        { "an_empty_file_has_no_rows", an_empty_file_has_no_rows },
        { "random_bytes_end_and_stay_in_bounds", random_bytes_end_and_stay_in_bounds },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "csv", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_csv", suites, argc, argv);
}
