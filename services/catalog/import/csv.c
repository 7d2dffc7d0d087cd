#include "services/catalog/import/csv.h"

#include <stdlib.h>

struct CsvReader {
    FILE *file;
    char separator;
    int64_t number;
    size_t size; /* bytes of the row under way, a NUL behind each field */
    size_t n_fields;
    const char *problem;
    char bytes[CSV_MAX_ROW];
    size_t starts[CSV_MAX_FIELDS + 1];
    Bytes fields[CSV_MAX_FIELDS];
};

/* Where the reader is inside a row. */
typedef enum State {
    FIELD_START,
    UNQUOTED,
    QUOTED,
    QUOTE_SEEN, /* inside quotes: the end of them or the first of a doubled one */
    ROW_END,
} State;

CsvReader *csv_open(FILE *file, char separator)
{
    CsvReader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        abort();
    reader->file = file;
    reader->separator = separator;
    return reader;
}

void csv_close(CsvReader *reader)
{
    free(reader);
}

static void add(CsvReader *reader, int byte)
{
    if (reader->size == CSV_MAX_ROW)
        reader->problem = "the row is longer than 4 MiB; is a quote not closed?";
    else
        reader->bytes[reader->size++] = (char)byte;
}

static void end_field(CsvReader *reader)
{
    add(reader, '\0');
    if (reader->n_fields == CSV_MAX_FIELDS)
        reader->problem = "the row has more than 2,500 fields";
    else
        reader->starts[++reader->n_fields] = reader->size;
}

static State take_unquoted(CsvReader *reader, int byte, bool is_start)
{
    if (is_start && byte == '"')
        return QUOTED;
    if (byte == reader->separator) {
        end_field(reader);
        return FIELD_START;
    }
    if (byte == '\n') {
        /* A row may end with CR LF. */
        if (reader->size > reader->starts[reader->n_fields] &&
            reader->bytes[reader->size - 1] == '\r')
            reader->size--;
        return ROW_END;
    }
    add(reader, byte);
    return UNQUOTED;
}

static State take_quoted(CsvReader *reader, int byte)
{
    if (byte == '"')
        return QUOTE_SEEN;
    add(reader, byte);
    /* Too long: give up the quote and go on with the next line. */
    return reader->size == CSV_MAX_ROW ? UNQUOTED : QUOTED;
}

static State take_after_quote(CsvReader *reader, int byte)
{
    if (byte == '"') {
        add(reader, byte);
        return QUOTED;
    }
    if (byte == reader->separator) {
        end_field(reader);
        return FIELD_START;
    }
    if (byte == '\n')
        return ROW_END;
    if (byte != '\r')
        reader->problem = "text follows a closing quote";
    return QUOTE_SEEN;
}

static State take(CsvReader *reader, State state, int byte)
{
    switch (state) {
    case QUOTED:
        return take_quoted(reader, byte);
    case QUOTE_SEEN:
        return take_after_quote(reader, byte);
    default:
        return take_unquoted(reader, byte, state == FIELD_START);
    }
}

/* Reads one row into the reader; false when the file was at its end. */
static bool read_row(CsvReader *reader)
{
    State state = FIELD_START;
    bool is_empty = true;
    int byte = EOF;

    reader->size = 0;
    reader->n_fields = 0;
    reader->problem = NULL;
    while (state != ROW_END && (byte = getc_unlocked(reader->file)) != EOF) {
        is_empty = false;
        state = take(reader, state, byte);
    }
    if (is_empty)
        return false;
    if (state == QUOTED)
        reader->problem = "a quote is not closed";
    end_field(reader);
    return true;
}

static bool is_blank(const CsvReader *reader)
{
    return reader->n_fields == 1 && reader->size == 1 && !reader->problem;
}

bool csv_next(CsvReader *reader, CsvRow *row)
{
    do {
        if (!read_row(reader))
            return false;
    } while (is_blank(reader));
    for (size_t i = 0; i < reader->n_fields; i++)
        reader->fields[i] = (Bytes){ (const uint8_t *)reader->bytes + reader->starts[i],
            reader->starts[i + 1] - reader->starts[i] - 1 };
    *row = (CsvRow){
        .number = ++reader->number,
        .n_fields = reader->problem ? 0 : reader->n_fields,
        .fields = reader->fields,
        .problem = reader->problem,
    };
    return true;
}
