/* Every response closes its connection: probes and scrapes come seconds apart. */
#include "shared/admin/page.h"

#include "shared/base/text.h"

#include <stdlib.h>
#include <string.h>

typedef struct Response {
    const char *status; /* "200 OK" */
    const char *type;
    const char *body;
    size_t size;
} Response;

static const char plain[] = "text/plain; charset=utf-8";

static Response plain_response(const char *status, const char *body)
{
    return (Response){ status, plain, body, strlen(body) };
}

/* A GET is answered with the body, a HEAD with its size alone (RFC 9110, 9.3.2). */
static void write_response(const Response *response, bool has_body, struct evbuffer *out)
{
    evbuffer_add_printf(out,
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
        "%sConnection: close\r\n\r\n",
        response->status, response->type, response->size,
        text_starts_with(response->status, "405") ? "Allow: GET, HEAD\r\n" : "");
    if (has_body)
        evbuffer_add(out, response->body, response->size);
}

typedef bool Check(void *context, const char **reason);

/* What a probe asks: 200 with `good`, or 503 with the reason. */
static void answer_check(
    Check *check, void *context, const char *good, bool has_body, struct evbuffer *out)
{
    const char *text = "no reason is given";
    bool is_good = !check || check(context, &text);
    struct evbuffer *body = evbuffer_new();
    Response response;

    evbuffer_add_printf(body, "%s\n", is_good ? good : text);
    response = (Response){ is_good ? "200 OK" : "503 Service Unavailable", plain,
        (const char *)evbuffer_pullup(body, -1), evbuffer_get_length(body) };
    write_response(&response, has_body, out);
    evbuffer_free(body);
}

static void answer_metrics(const AdminOptions *options, bool has_body, struct evbuffer *out)
{
    char *body = NULL;
    size_t size = 0;
    FILE *page = open_memstream(&body, &size);
    Response response;

    if (!page)
        abort();
    metrics_print(options->metrics, page);
    if (fclose(page) != 0)
        abort();
    response = (Response){ "200 OK", "text/plain; version=0.0.4; charset=utf-8", body, size };
    write_response(&response, has_body, out);
    free(body);
}

static void answer_version(const AdminOptions *options, bool has_body, struct evbuffer *out)
{
    struct evbuffer *body = evbuffer_new();
    Response response;

    evbuffer_add_printf(
        body, "{\"service\":\"%s\",\"version\":\"%s\"}\n", options->service, options->version);
    response = (Response){ "200 OK", "application/json", (const char *)evbuffer_pullup(body, -1),
        evbuffer_get_length(body) };
    write_response(&response, has_body, out);
    evbuffer_free(body);
}

static void answer_path(
    const AdminOptions *options, const char *path, bool has_body, struct evbuffer *out)
{
    Response missing =
        plain_response("404 Not Found", "There is /healthz, /readyz, /metrics and /version.\n");

    if (text_equal(path, "/healthz"))
        answer_check(options->is_alive, options->context, "ok", has_body, out);
    else if (text_equal(path, "/readyz"))
        answer_check(options->is_ready, options->context, "ready", has_body, out);
    else if (text_equal(path, "/metrics"))
        answer_metrics(options, has_body, out);
    else if (text_equal(path, "/version"))
        answer_version(options, has_body, out);
    else
        write_response(&missing, has_body, out);
}

/* The part of the line up to a space or its end, as a text in the arena; *rest is what follows the
 * space. */
static char *take_word(Arena *arena, const char *line, const char **rest)
{
    size_t length = strcspn(line, " \r\n");

    *rest = line[length] == ' ' ? line + length + 1 : line + length;
    return arena_text_of(arena, line, length);
}

void page_answer(const AdminOptions *options, const char *head, struct evbuffer *out)
{
    Arena *arena = arena_new();
    const char *method = take_word(arena, head, &head);
    char *path = take_word(arena, head, &head);
    const char *version = take_word(arena, head, &head);
    Response bad = plain_response("400 Bad Request", "This is not an HTTP/1 request.\n");
    Response refused = plain_response("405 Method Not Allowed", "These pages are only read.\n");

    path[strcspn(path, "?")] = '\0';
    if (!*method || *path != '/' || !text_starts_with(version, "HTTP/1.") || *head != '\r')
        write_response(&bad, true, out);
    else if (!text_equal(method, "GET") && !text_equal(method, "HEAD"))
        write_response(&refused, true, out);
    else
        answer_path(options, path, text_equal(method, "GET"), out);
    arena_free(arena);
}

void page_refuse_large(struct evbuffer *out)
{
    Response large = plain_response("431 Request Header Fields Too Large",
        "The request is larger than any that is answered here.\n");

    write_response(&large, true, out);
}
