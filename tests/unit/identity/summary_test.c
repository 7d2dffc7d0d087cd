#include "services/identity/domain/summary.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include "descriptor_set.h"
#include "throughline/cart/v1/events.pb-c.h"
#include "throughline/feedback/v1/events.pb-c.h"
#include "throughline/identity/v1/events.pb-c.h"
#include "throughline/notification/v1/events.pb-c.h"

#include <string.h>

/* Whether a type is told as an event of one of the services that the timeline follows. What becomes of accounts is no part of any
 * customer's history. */
static bool is_event(const char *name)
{
    static const char *const packages[] = { "throughline.cart.v1.", "throughline.feedback.v1.",
        "throughline.identity.v1.", "throughline.notification.v1." };
    static const char *const endings[] = { "Opened", "Added", "Changed", "Removed", "Attached",
        "Detached", "Merged", "ByMerge", "Claimed", "Joined", "Left", "Started", "Ordered",
        "Placed", "Cancelled", "Returned", "Set", "Linked", "Resolved", "Recorded", "Answered",
        "Created", "Updated" };

    if (text_equal(name, "throughline.identity.v1.AccountChanged"))
        return false;
    for (size_t i = 0; i < COUNT(packages); i++)
        for (size_t j = 0; text_starts_with(name, packages[i]) && j < COUNT(endings); j++)
            if (text_ends_with(name, endings[j]))
                return true;
    return false;
}

/* Empty payloads, as a future version of a service may send them, are told too. */
static void every_event_of_the_protos_has_words(void)
{
    Arena *arena = arena_new();
    int events = 0;

    for (size_t i = 0; i < throughline_n_messages; i++) {
        const ProtobufCMessageDescriptor *type = throughline_messages[i];
        ProtobufCMessage *payload = arena_alloc(arena, type->sizeof_message);
        const char *named;

        if (!is_event(type->name))
            continue;
        type->message_init(payload);
        named = summary_of(NULL, type->short_name, arena);
        CU_ASSERT_FALSE(text_is_empty(summary_of(payload, type->short_name, arena)));
        CU_ASSERT_FALSE(text_equal(summary_of(payload, type->short_name, arena), named));
        events++;
    }
    CU_ASSERT_TRUE(events >= 30);
    arena_free(arena);
}

static void a_line_is_told_with_its_title(void)
{
    Arena *arena = arena_new();
    Throughline__Cart__V1__CartLine line = THROUGHLINE__CART__V1__CART_LINE__INIT;
    Throughline__Cart__V1__CartLine *lines[] = { &line };
    Throughline__Cart__V1__Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    Throughline__Cart__V1__LineAdded added = THROUGHLINE__CART__V1__LINE_ADDED__INIT;
    Throughline__Cart__V1__LineChanged changed = THROUGHLINE__CART__V1__LINE_CHANGED__INIT;
    Throughline__Cart__V1__LineRemoved removed = THROUGHLINE__CART__V1__LINE_REMOVED__INIT;

    line.sku = "lamp-1";
    line.title = "Trail Lamp";
    cart.lines = lines;
    cart.n_lines = 1;
    added.cart = changed.cart = &cart;
    added.sku = changed.sku = "lamp-1";
    added.quantity = 2;
    changed.old_quantity = 2;
    changed.new_quantity = 5;
    removed.sku = "rope-7";

    CHECK_TEXT(summary_of(&added.base, "LineAdded", arena), "Added 2 × Trail Lamp to the cart");
    CHECK_TEXT(summary_of(&changed.base, "LineChanged", arena), "Changed Trail Lamp from 2 to 5");
    CHECK_TEXT(summary_of(&removed.base, "LineRemoved", arena), "Took rope-7 out of the cart");
    arena_free(arena);
}

static void an_order_is_told_with_its_amount(void)
{
    Arena *arena = arena_new();
    Google__Type__Money total = GOOGLE__TYPE__MONEY__INIT;
    Throughline__Cart__V1__Invoice invoice = THROUGHLINE__CART__V1__INVOICE__INIT;
    Throughline__Cart__V1__Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    Throughline__Cart__V1__OrderPlaced placed = THROUGHLINE__CART__V1__ORDER_PLACED__INIT;
    Throughline__Cart__V1__CreditNote note = THROUGHLINE__CART__V1__CREDIT_NOTE__INIT;
    Throughline__Cart__V1__OrderCancelled cancelled = THROUGHLINE__CART__V1__ORDER_CANCELLED__INIT;
    Throughline__Cart__V1__LinesReturned returned = THROUGHLINE__CART__V1__LINES_RETURNED__INIT;

    total.currency_code = "EUR";
    total.units = 12;
    total.nanos = 500000000;
    invoice.total = &total;
    order.invoice = &invoice;
    placed.order = &order;
    note.total = &total;
    cancelled.credit_note = returned.credit_note = &note;

    CHECK_TEXT(summary_of(&placed.base, "OrderPlaced", arena), "Placed an order for 12.50 EUR");
    CHECK_TEXT(summary_of(&cancelled.base, "OrderCancelled", arena),
        "Cancelled an order: a credit note for 12.50 EUR");
    CHECK_TEXT(summary_of(&returned.base, "LinesReturned", arena),
        "Brought something back: a credit note for 12.50 EUR");
    total.currency_code = "???";
    CHECK_TEXT(summary_of(&placed.base, "OrderPlaced", arena), "Placed an order");
    arena_free(arena);
}

static void what_was_said_is_told_with_its_author(void)
{
    Arena *arena = arena_new();
    Throughline__Feedback__V1__CaseMessage message = THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__INIT;
    Throughline__Feedback__V1__CaseMessage *messages[] = { &message };
    Throughline__Feedback__V1__Case record = THROUGHLINE__FEEDBACK__V1__CASE__INIT;
    Throughline__Feedback__V1__CaseMessageAdded added =
        THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE_ADDED__INIT;

    message.text = "Where is my lamp?";
    record.messages = messages;
    record.n_messages = 1;
    added.case_record = &record;

    message.author = THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__CUSTOMER;
    CHECK_TEXT(summary_of(&added.base, "", arena), "Wrote in a case: Where is my lamp?");
    message.author = THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__AGENT;
    CHECK_TEXT(summary_of(&added.base, "", arena), "Answered in a case: Where is my lamp?");
    arena_free(arena);
}

static void identifiers_and_consents_are_told_in_plain_words(void)
{
    Arena *arena = arena_new();
    Throughline__Identity__V1__Identifier handle = THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    Throughline__Identity__V1__IdentifierAttached attached =
        THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    Throughline__Identity__V1__Consent consent = THROUGHLINE__IDENTITY__V1__CONSENT__INIT;
    Throughline__Identity__V1__ConsentChanged changed =
        THROUGHLINE__IDENTITY__V1__CONSENT_CHANGED__INIT;

    handle.key = "social_handle:chirp:@jo";
    attached.identifier = &handle;
    consent.purpose = "surveys";
    consent.channel = "inbox";
    consent.state = THROUGHLINE__IDENTITY__V1__CONSENT__STATE__REVOKED;
    changed.consent = &consent;

    CHECK_TEXT(summary_of(&attached.base, "", arena), "Is now known by social handle chirp:@jo");
    CHECK_TEXT(summary_of(&changed.base, "", arena), "Said no to surveys over inbox");
    arena_free(arena);
}

static void long_texts_are_cut_between_characters(void)
{
    Arena *arena = arena_new();
    Throughline__Feedback__V1__Note note = THROUGHLINE__FEEDBACK__V1__NOTE__INIT;
    Throughline__Feedback__V1__NoteRecorded recorded =
        THROUGHLINE__FEEDBACK__V1__NOTE_RECORDED__INIT;
    char text[2 * 200 + 1];
    const char *told;

    for (size_t i = 0; i < sizeof(text) - 1; i += 2)
        memcpy(text + i, "ä", 2);
    text[sizeof(text) - 1] = 0;
    note.text = text;
    recorded.note = &note;
    told = summary_of(&recorded.base, "", arena);

    CHECK_INT((int)text_length(told), (int)strlen("Note: ") + SUMMARY_MAX_TITLE);
    CU_ASSERT_TRUE(text_is_utf8((const uint8_t *)told, strlen(told)));
    CU_ASSERT_TRUE(text_ends_with(told, "ä…"));
    arena_free(arena);
}

static void an_unknown_event_is_told_by_its_name(void)
{
    Arena *arena = arena_new();
    Throughline__Cart__V1__Cart other = THROUGHLINE__CART__V1__CART__INIT;

    CHECK_TEXT(summary_of(NULL, "OrderShipped", arena), "Order shipped");
    CHECK_TEXT(summary_of(&other.base, "Cart", arena), "Cart");
    CHECK_TEXT(summary_of(NULL, "", arena), "Something happened");
    arena_free(arena);
}

static void a_cart_that_got_its_customer_takes_its_past_along(void)
{
    Throughline__Cart__V1__CustomerAttached attached =
        THROUGHLINE__CART__V1__CUSTOMER_ATTACHED__INIT;
    Throughline__Cart__V1__CartMerged merged = THROUGHLINE__CART__V1__CART_MERGED__INIT;
    Throughline__Cart__V1__LineAdded added = THROUGHLINE__CART__V1__LINE_ADDED__INIT;
    Throughline__Feedback__V1__CaseCustomerLinked linked =
        THROUGHLINE__FEEDBACK__V1__CASE_CUSTOMER_LINKED__INIT;

    CHECK_TEXT(summary_adopted(&attached.base, "carts/a"), "carts/a");
    CHECK_TEXT(summary_adopted(&linked.base, "cases/a"), "cases/a");
    CU_ASSERT_PTR_NULL(summary_adopted(&merged.base, "carts/a"));
    merged.source = "carts/b";
    CHECK_TEXT(summary_adopted(&merged.base, "carts/a"), "carts/b");
    CU_ASSERT_PTR_NULL(summary_adopted(&added.base, "carts/a"));
    CU_ASSERT_PTR_NULL(summary_adopted(NULL, "carts/a"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_event_of_the_protos_has_words", every_event_of_the_protos_has_words },
        { "a_line_is_told_with_its_title", a_line_is_told_with_its_title },
        { "an_order_is_told_with_its_amount", an_order_is_told_with_its_amount },
        { "what_was_said_is_told_with_its_author", what_was_said_is_told_with_its_author },
        { "identifiers_and_consents_are_told_in_plain_words",
            identifiers_and_consents_are_told_in_plain_words },
        { "long_texts_are_cut_between_characters", long_texts_are_cut_between_characters },
        { "an_unknown_event_is_told_by_its_name", an_unknown_event_is_told_by_its_name },
        { "a_cart_that_got_its_customer_takes_its_past_along",
            a_cart_that_got_its_customer_takes_its_past_along },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "summary", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_summary", suites, argc, argv);
}
