/* One customer's story told by real services: a guest signs in, complains, and all of it is in one
 * timeline. */
#include "tests/service/identity/calls.h"

#include "services/cart/cart_service.h"
#include "services/feedback/feedback_service.h"
#include "shared/base/text.h"

typedef Throughline__Identity__V1__ListTimelineRequest ListTimelineRequest;
typedef Throughline__Identity__V1__ListTimelineResponse ListTimelineResponse;

static const Service notification_teller = { .name = "notification" };

static Fixture *start_all(void)
{
    const Service *others[] = { &cart_service, &feedback_service, &notification_teller, NULL };
    Fixture *fixture = fixture_start_with(&identity_service, others);

    fixture_act_as(fixture, "care", "agents/kim");
    return fixture;
}

static const char *a_cart_of(Fixture *fixture, const char *actor)
{
    Fixture *peer = fixture_peer(fixture, "cart");
    Throughline__Cart__V1__CreateCartRequest request =
        THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    Throughline__Cart__V1__Cart cart = THROUGHLINE__CART__V1__CART__INIT;

    fixture_act_as(peer, "web", actor);
    request.currency = "EUR";
    CHECK_TEXT(error_reason(fixture_call(peer, "CartService/CreateCart", &request, &cart)), "OK");
    return arena_text(fixture_arena(fixture), cart.name);
}

static void sign_in(Fixture *fixture, const char *cart, const char *customer)
{
    Fixture *peer = fixture_peer(fixture, "cart");
    Throughline__Cart__V1__AttachCustomerRequest request =
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__INIT;
    Throughline__Cart__V1__AttachCustomerResponse reply =
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

    fixture_act_as(peer, "web", "anonymous/visitor");
    request.cart = (char *)cart;
    request.customer = (char *)customer;
    CHECK_TEXT(
        error_reason(fixture_call(peer, "CartService/AttachCustomer", &request, &reply)), "OK");
}

static void complain(Fixture *fixture, const char *handle)
{
    Fixture *feedback = fixture_peer(fixture, "feedback");
    Throughline__Feedback__V1__RecordMentionRequest request =
        THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    Throughline__Feedback__V1__RecordMentionResponse reply =
        THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_RESPONSE__INIT;

    fixture_act_as(feedback, "social", "services/listener");
    request.handle = (char *)handle;
    request.text = "Where is my order?";
    request.is_complaint = true;
    CHECK_TEXT(
        error_reason(fixture_call(feedback, "CaseService/RecordMention", &request, &reply)), "OK");
}

static ListTimelineResponse story_of(Fixture *fixture, const char *customer)
{
    ListTimelineRequest request = THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_REQUEST__INIT;
    ListTimelineResponse reply = THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_RESPONSE__INIT;

    CU_ASSERT_TRUE(fixture_settle(fixture));
    request.customer = (char *)customer;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/ListTimeline", &request, &reply)),
        "OK");
    return reply;
}

static bool has(const ListTimelineResponse *story, const char *aggregate, const char *type)
{
    for (size_t i = 0; i < story->n_entries; i++)
        if (text_equal(story->entries[i]->aggregate, aggregate) &&
            text_equal(story->entries[i]->type, type))
            return true;
    return false;
}

/* Of every aggregate the events are there from the first to the last. */
static void check_no_gap(const ListTimelineResponse *story)
{
    for (size_t i = 0; i < story->n_entries; i++) {
        const TimelineEntry *entry = story->entries[i];
        bool has_one_before = entry->aggregate_sequence == 1;

        for (size_t j = i + 1; j < story->n_entries; j++)
            has_one_before =
                has_one_before ||
                (text_equal(story->entries[j]->aggregate, entry->aggregate) &&
                    story->entries[j]->aggregate_sequence == entry->aggregate_sequence - 1);
        CU_ASSERT_TRUE(has_one_before);
    }
}

static void a_guest_who_signs_in_has_one_story(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "Jo", NULL);
    const char *guest = a_cart_of(fixture, "anonymous/visitor");
    ListTimelineResponse story;

    CU_ASSERT_TRUE(fixture_settle(fixture));
    sign_in(fixture, guest, jo);
    story = story_of(fixture, jo);

    CU_ASSERT_TRUE(has(&story, jo, "CustomerCreated"));
    CU_ASSERT_TRUE(has(&story, guest, "CartOpened"));
    CU_ASSERT_TRUE(has(&story, guest, "CustomerAttached"));
    check_no_gap(&story);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_guest_cart_that_is_merged_is_in_the_story(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "Jo", NULL);
    const char *own = a_cart_of(fixture, jo), *guest = a_cart_of(fixture, "anonymous/visitor");
    ListTimelineResponse story;

    sign_in(fixture, guest, jo);
    story = story_of(fixture, jo);

    CU_ASSERT_TRUE(has(&story, own, "CartOpened"));
    CU_ASSERT_TRUE(has(&story, own, "CartMerged"));
    CU_ASSERT_TRUE(has(&story, guest, "CartOpened"));
    CU_ASSERT_TRUE(has(&story, guest, "CartClosedByMerge"));
    check_no_gap(&story);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_complaint_of_a_strange_handle_joins_the_story_when_it_is_linked(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "Jo", NULL);
    ListTimelineResponse story;
    Customer reply;

    complain(fixture, "chirp:@jo");
    CU_ASSERT_PTR_NULL(attach(fixture, jo, HANDLE, "chirp:@jo", &reply));
    CU_ASSERT_TRUE(fixture_settle(fixture));
    complain(fixture, "chirp:@jo");
    story = story_of(fixture, jo);

    CU_ASSERT_EQUAL_FATAL(story.n_entries, 5);
    CHECK_TEXT(story.entries[0]->type, "CaseMessageAdded");
    CHECK_TEXT(story.entries[0]->channel, "social");
    CHECK_TEXT(story.entries[1]->type, "CaseCustomerLinked");
    CHECK_TEXT(story.entries[2]->type, "IdentifierAttached");
    CHECK_TEXT(story.entries[3]->summary, "Opened a case: Where is my order?");
    CHECK_TEXT(story.entries[3]->origin, "");
    check_no_gap(&story);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_guest_who_signs_in_has_one_story", a_guest_who_signs_in_has_one_story },
        { "a_guest_cart_that_is_merged_is_in_the_story",
            a_guest_cart_that_is_merged_is_in_the_story },
        { "a_complaint_of_a_strange_handle_joins_the_story_when_it_is_linked",
            a_complaint_of_a_strange_handle_joins_the_story_when_it_is_linked },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "story", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_story", suites, argc, argv);
}
