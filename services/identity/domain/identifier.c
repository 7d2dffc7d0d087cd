#include "services/identity/domain/identifier.h"

#include "shared/base/handle.h"
#include "shared/base/text.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#define MALFORMED(sentence)                                                                        \
    {                                                                                              \
        ERROR_INVALID_ARGUMENT, "IDENTIFIER_MALFORMED", sentence                                   \
    }

static const Error blocked = { ERROR_INVALID_ARGUMENT, "IDENTIFIER_BLOCKED",
    "is a placeholder that belongs to nobody" };
static const Error bad_length = MALFORMED("must have 1 to 254 characters");
static const Error bad_email = MALFORMED("must be an e-mail address like jo@example.com");
static const Error bad_phone =
    MALFORMED("must be a phone number with country code like +4930123456");
static const Error bad_card = MALFORMED("must have 4 to 64 letters and digits");
static const Error bad_device = MALFORMED("must be printable ASCII without spaces");
static const Error bad_handle = MALFORMED("must be a handle with its network like chirp:@jo");
static const Error bad_external = MALFORMED("must be a system and an id like crm:4711");

/* What systems write where they know nothing. Compared in lower case, without what separates. */
static const char *const placeholders[] = { "null", "nil", "none", "undefined", "unknown",
    "anonymous", "anonym", "guest", "n/a", "na", "nan", "void", "empty", "false", "true", "-1" };

static bool is_placeholder(const char *lower)
{
    if (lower[strspn(lower, "0-_. ")] == 0)
        return true;
    for (size_t i = 0; i < COUNT(placeholders); i++)
        if (text_equal(lower, placeholders[i]))
            return true;
    return false;
}

/* Letters, digits and hyphens, no hyphen at either end (RFC 1035, 2.3.1). */
static bool is_dns_label(const char *text, size_t size)
{
    if (size == 0 || size > IDENTIFIER_MAX_DNS_LABEL || text[0] == '-' || text[size - 1] == '-')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    return true;
}

/* A name of at least two labels: mail to a person does not end at a local host. */
static bool is_mail_domain(const char *text)
{
    int labels = 0;

    for (;; labels++) {
        size_t size = strcspn(text, ".");

        if (!is_dns_label(text, size))
            return false;
        if (!text[size])
            return labels > 0;
        text += size + 1;
    }
}

/* A dot-atom (RFC 5322, 3.2.3) of at most 64 bytes: quoted forms are no addresses that people
 * have. */
static bool is_mail_local(const char *text, size_t size)
{
    if (size == 0 || size > IDENTIFIER_MAX_EMAIL_LOCAL || text[0] == '.' || text[size - 1] == '.')
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (!isalnum(byte) && !strchr("!#$%&'*+-/=?^_`{|}~.", byte))
            return false;
        if (byte == '.' && text[i + 1] == '.')
            return false;
    }
    return true;
}

static const Error *normalise_email(const char *value, Arena *arena, const char **normal)
{
    const char *at = strrchr(value, '@');

    if (!at || !is_mail_local(value, (size_t)(at - value)) || !is_mail_domain(at + 1))
        return &bad_email;
    *normal = text_lower(arena, value);
    return NULL;
}

/* "(0)" behind a country code is the trunk prefix that people print for calls from inside. */
static const char *without_trunk_prefix(const char *value, Arena *arena)
{
    const char *trunk = strstr(value, "(0)");

    if (!trunk || (*value != '+' && !text_starts_with(value, "00")))
        return value;
    return arena_printf(arena, "%.*s%s", (int)(trunk - value), value, trunk + strlen("(0)"));
}

static const Error *normalise_phone(const char *value, Arena *arena, const char **normal)
{
    char *digits = arena_alloc(arena, strlen(value) + 2);
    size_t n = 0;
    const char *at = without_trunk_prefix(value, arena);

    if (*at == '+')
        at++;
    else if (text_starts_with(at, "00"))
        at += 2;
    else
        return &bad_phone;
    digits[n++] = '+';
    for (; *at; at++) {
        if (isdigit((unsigned char)*at))
            digits[n++] = *at;
        else if (!strchr(" -()./", *at))
            return &bad_phone;
    }
    if (n - 1 < IDENTIFIER_MIN_PHONE_DIGITS || n - 1 > IDENTIFIER_MAX_PHONE_DIGITS ||
        digits[1] == '0')
        return &bad_phone;
    *normal = digits;
    return NULL;
}

static const Error *normalise_card(const char *value, Arena *arena, const char **normal)
{
    char *card = arena_alloc(arena, strlen(value) + 1);
    size_t n = 0;

    for (const char *at = value; *at; at++) {
        if (isalnum((unsigned char)*at))
            card[n++] = (char)toupper((unsigned char)*at);
        else if (*at != ' ' && *at != '-')
            return &bad_card;
    }
    if (n < IDENTIFIER_MIN_CARD || n > IDENTIFIER_MAX_CARD)
        return &bad_card;
    *normal = card;
    return NULL;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (!isgraph((unsigned char)*text))
            return false;
    return true;
}

static const Error *normalise_device(const char *value, Arena *arena, const char **normal)
{
    if (!is_printable(value))
        return &bad_device;
    *normal = arena_text(arena, value);
    return NULL;
}

static const Error *normalise_handle(const char *value, Arena *arena, const char **normal)
{
    const char *handle = handle_normal(arena, value);

    if (!handle)
        return &bad_handle;
    if (is_placeholder(strchr(handle, '@') + 1))
        return &blocked;
    *normal = handle;
    return NULL;
}

/* The system in lower case, its id as it is: only the system knows whether case counts. */
static const Error *normalise_external(const char *value, Arena *arena, const char **normal)
{
    const char *colon = strchr(value, ':');
    size_t size = colon ? (size_t)(colon - value) : 0;
    const char *system = text_lower(arena, arena_text_of(arena, value, size));

    if (size == 0 || size > IDENTIFIER_MAX_SYSTEM || !colon[1] || !is_printable(colon + 1))
        return &bad_external;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)system[i]) && !strchr("-_", system[i]))
            return &bad_external;
    if (is_placeholder(text_lower(arena, colon + 1)))
        return &blocked;
    *normal = arena_printf(arena, "%s:%s", system, colon + 1);
    return NULL;
}

static const struct {
    const char *prefix;
    const Error *(*normalise)(const char *value, Arena *arena, const char **normal);
} kinds[] = {
    [THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__EMAIL] = { "email", normalise_email },
    [THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__PHONE] = { "phone", normalise_phone },
    [THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__LOYALTY_CARD] = { "loyalty_card",
        normalise_card },
    [THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__DEVICE] = { "device", normalise_device },
    [THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__SOCIAL_HANDLE] = { "social_handle",
        normalise_handle },
    [THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__EXTERNAL] = { "external", normalise_external },
};

const Error *identifier_normalise(Identifier *identifier, Arena *arena)
{
    size_t kind = (size_t)identifier->kind;
    const char *value = text_trim(arena, identifier->value);
    const char *normal = NULL;
    const Error *error;

    assert(kind < COUNT(kinds) && kinds[kind].normalise);
    if (!*value || text_length(value) > IDENTIFIER_MAX_VALUE)
        return &bad_length;
    if (is_placeholder(text_lower(arena, value)))
        return &blocked;
    if ((error = kinds[kind].normalise(value, arena, &normal)))
        return error;
    identifier->value = (char *)normal;
    identifier->key = arena_printf(arena, "%s:%s", kinds[kind].prefix, normal);
    return NULL;
}
