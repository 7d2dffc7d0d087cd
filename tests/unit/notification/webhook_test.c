#include "services/notification/webhook.h"
#include "tests/support/test_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* Computed with Python's hmac module: hmac.new(b"a secret of sixteen", b"1700000000.{}", sha256). */
static void the_signature_is_hmac_sha256_over_time_and_body(void)
{
    Arena *arena = arena_new();

    CHECK_TEXT(webhook_signature(arena, "a secret of sixteen", "{}", 1700000000LL * 1000000 + 5),
        "t=1700000000,v1=9e0f98fb6d96af0b7ebef51d30bd6c877daee8bce9b06dccbaa91614ae5b1e5b");
    arena_free(arena);
}

static bool is_public(const char *text)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return webhook_is_public((const struct sockaddr *)&v4);
    CHECK_INT(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return webhook_is_public((const struct sockaddr *)&v6);
}

static void private_addresses_are_told_from_public_ones(void)
{
    static const char *const inside[] = { "127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
        "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1" };
    static const char *const outside[] = { "8.8.8.8", "172.32.0.1", "100.128.0.1", "198.20.0.1",
        "2a00:1450::1", "::ffff:8.8.8.8", "2002:808:808::" };

    for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
        if (is_public(inside[i]))
            CHECK_TEXT(inside[i], "private");
    for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
        if (!is_public(outside[i]))
            CHECK_TEXT(outside[i], "public");
    CU_ASSERT_FALSE(is_public("127.0.0.1"));
}

static long status_of(const Webhook *webhook)
{
    Arena *arena = arena_new();
    long status = -1;

    CU_ASSERT_PTR_NULL(webhook_post(arena, webhook, &status));
    arena_free(arena);
    return status;
}

static void a_private_address_is_not_posted_to(void)
{
    Webhook webhook = { .uri = "http://127.0.0.1:9/",
        .secret = "0123456789abcdef",
        .message = "messages/1",
        .body = "{}",
        .timeout_ms = 1000 };

    CHECK_INT(status_of(&webhook), 0);
    webhook.uri = "file:///etc/passwd";
    CHECK_INT(status_of(&webhook), 0);
}

CU_TestInfo webhook_tests[] = { { "the_signature_is_hmac_sha256_over_time_and_body",
                                    the_signature_is_hmac_sha256_over_time_and_body },
    { "private_addresses_are_told_from_public_ones", private_addresses_are_told_from_public_ones },
    { "a_private_address_is_not_posted_to", a_private_address_is_not_posted_to },
    CU_TEST_INFO_NULL };
