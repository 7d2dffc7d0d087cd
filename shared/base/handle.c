#include "shared/base/handle.h"

#include "shared/base/text.h"

#include <ctype.h>
#include <string.h>

static bool is_network(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '-')
            return false;
    return size > 0 && size <= HANDLE_MAX_NETWORK;
}

/* Letters, digits, "._-@" and whatever is not ASCII: networks differ. */
static bool is_name(const char *text)
{
    for (const char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte < 0x80 && !isalnum(byte) && !strchr("._-@", byte))
            return false;
    }
    return *text != 0;
}

const char *handle_normal(Arena *arena, const char *text)
{
    const char *lower = text_lower(arena, text);
    const char *colon = strchr(lower, ':');
    const char *network, *name, *normal;

    if (!colon)
        return NULL;
    network = text_trim(arena, arena_text_of(arena, lower, (size_t)(colon - lower)));
    name = text_trim(arena, colon + 1);
    name += *name == '@';
    if (!is_network(network, strlen(network)) || !is_name(name))
        return NULL;
    normal = arena_printf(arena, "%s:@%s", network, name);
    return text_length(normal) <= HANDLE_MAX ? normal : NULL;
}

const char *handle_key(Arena *arena, const char *handle)
{
    return arena_printf(arena, "social_handle:%s", handle);
}
