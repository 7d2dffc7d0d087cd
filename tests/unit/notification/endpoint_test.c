#include "services/notification/domain/endpoint.h"
#include "shared/base/text.h"
#include "tests/support/test_main.h"

static void addresses_that_can_be_posted_to_are_taken(void)
{
    static const char *const good[] = { "http://hook", "https://hooks.example.com/a?b=%20#c",
        "https://example.com:8443", "http://127.0.0.1:65535/", "http://[2001:db8::1]:80/x" };

    for (size_t i = 0; i < COUNT(good); i++)
        CHECK_TEXT(endpoint_check_uri(good[i]), NULL);
}

static void others_are_refused_with_the_reason(void)
{
    static const char *const bad[] = { "", "ftp://example.com", "example.com", "http://",
        "https:///path", "http://?q", "http://a b/", "http://a\r\nHost: b/",
        "http://jo@example.com/", "http://jo:secret@example.com/", "http://[::1", "http://[]/",
        "http://a:0/", "http://a:65536/", "http://a:1x/", "http://a:/", "http://bücher.example/" };

    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT_PTR_NOT_NULL(endpoint_check_uri(bad[i]));
}

CU_TestInfo endpoint_tests[] = {
    { "addresses_that_can_be_posted_to_are_taken", addresses_that_can_be_posted_to_are_taken },
    { "others_are_refused_with_the_reason", others_are_refused_with_the_reason }, CU_TEST_INFO_NULL
};
