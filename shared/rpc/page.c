/* A token is base64url of: 8 bytes hash of the list's other arguments, the resume key, 8 bytes
 * checksum over both. The checksum catches tokens that were typed, cut or edited; it is no
 * signature: a resume key opens nothing that the list would not show. */
#include "shared/rpc/page.h"

#include "shared/rpc/check.h"

#include <string.h>

enum { HASH_SIZE = 8, TOKEN_SIZE_MAX = 2048 };

static void put_hash(uint8_t *out, uint64_t hash)
{
    for (int i = 0; i < HASH_SIZE; i++)
        out[i] = (uint8_t)(hash >> (8 * i));
}

static bool has_hash(const uint8_t *bytes, uint64_t hash)
{
    uint8_t expected[HASH_SIZE];

    put_hash(expected, hash);
    return !memcmp(bytes, expected, HASH_SIZE);
}

static uint64_t arguments_hash(const RpcCall *call, const char *arguments)
{
    return text_hash(arguments, strlen(arguments)) ^ text_hash(call->method, strlen(call->method));
}

/* NULL when the token is not one of ours for this list. */
static const char *resume_key(RpcCall *call, const char *token, uint64_t arguments)
{
    Bytes bytes;
    size_t signed_size;

    if (strlen(token) > TOKEN_SIZE_MAX || !text_from_base64(call->arena, token, &bytes) ||
        bytes.size <= 2 * HASH_SIZE)
        return NULL;
    signed_size = bytes.size - HASH_SIZE;
    if (!has_hash(bytes.data + signed_size, text_hash(bytes.data, signed_size)) ||
        !has_hash(bytes.data, arguments) ||
        !text_is_utf8(bytes.data + HASH_SIZE, signed_size - HASH_SIZE))
        return NULL;
    return arena_text_of(
        call->arena, (const char *)bytes.data + HASH_SIZE, signed_size - HASH_SIZE);
}

RpcPage page_read(RpcCall *call, int32_t page_size, const char *page_token, const char *arguments)
{
    RpcPage page = { .limit = PAGE_DEFAULT, .resume = "" };

    page.arguments = arguments_hash(call, arguments);
    if (page_size < 0)
        check_fail(call, "page_size", "must not be negative");
    else if (page_size > 0)
        page.limit = page_size < PAGE_MAX ? page_size : PAGE_MAX;
    if (text_is_empty(page_token))
        return page;
    page.resume = resume_key(call, page_token, page.arguments);
    if (!page.resume) {
        check_fail(call, "page_token", "is not a next_page_token of a list with these arguments");
        page.resume = "";
    }
    return page;
}

char *page_token(RpcCall *call, const RpcPage *page, const char *resume)
{
    size_t length = strlen(resume);
    uint8_t *bytes;

    if (length == 0)
        return arena_text(call->arena, "");
    bytes = arena_alloc(call->arena, length + 2 * HASH_SIZE);
    put_hash(bytes, page->arguments);
    memcpy(bytes + HASH_SIZE, resume, length);
    put_hash(bytes + HASH_SIZE + length, text_hash(bytes, HASH_SIZE + length));
    return text_base64url(call->arena, bytes, length + 2 * HASH_SIZE);
}
