#include "tests/service/identity/teller.h"

#include "services/identity/timeline.h"
#include "shared/base/text.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "throughline/feedback/v1/events.pb-c.h"

typedef Throughline__Identity__V1__ListTimelineRequest ListTimelineRequest;
typedef Throughline__Identity__V1__ListTimelineResponse ListTimelineResponse;
typedef Throughline__Cart__V1__CartOpened CartOpened;
typedef Throughline__Cart__V1__LineAdded LineAdded;
typedef Throughline__Cart__V1__CustomerAttached CustomerAttached;
typedef Throughline__Cart__V1__CartMerged CartMerged;
typedef Throughline__Cart__V1__CartClosedByMerge CartClosedByMerge;

static ListTimelineResponse timeline_page(
    Fixture *fixture, const char *customer, int32_t size, const char *token)
{
    ListTimelineRequest request = THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_REQUEST__INIT;
    ListTimelineResponse reply = THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_RESPONSE__INIT;

    request.customer = (char *)customer;
    request.page_size = size;
    request.page_token = (char *)token;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/ListTimeline", &request, &reply)),
        "OK");
    return reply;
}

static ListTimelineResponse timeline_of(Fixture *fixture, const char *customer)
{
    CU_ASSERT_TRUE(fixture_settle(fixture));
    return timeline_page(fixture, customer, 500, "");
}

static int64_t count_of(const ListTimelineResponse *story, const char *source)
{
    for (size_t i = 0; i < story->n_sources; i++)
        if (text_equal(story->sources[i]->source, source))
            return story->sources[i]->entries;
    return -1;
}

static void tell_opened(Fixture *fixture, Cart *cart)
{
    CartOpened event = THROUGHLINE__CART__V1__CART_OPENED__INIT;

    event.cart = cart;
    tell(fixture, "cart", cart, &event);
}

static void tell_line(Fixture *fixture, Cart *cart, const char *sku, int32_t quantity)
{
    LineAdded event = THROUGHLINE__CART__V1__LINE_ADDED__INIT;

    event.cart = cart;
    event.sku = (char *)sku;
    event.quantity = quantity;
    tell(fixture, "cart", cart, &event);
}

static void every_channel_is_in_one_story(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    Cart *cart = a_cart(fixture, "carts/a", jo);
    Throughline__Feedback__V1__Note note = THROUGHLINE__FEEDBACK__V1__NOTE__INIT;
    Throughline__Feedback__V1__NoteRecorded noted = THROUGHLINE__FEEDBACK__V1__NOTE_RECORDED__INIT;
    ListTimelineResponse story;

    tell_opened(fixture, cart);
    tell_line(fixture, cart, "lamp-1", 2);
    note.customer = (char *)jo;
    note.text = "Prefers mornings";
    noted.note = &note;
    tell(fixture, "feedback", a_cart(fixture, "notes/a", jo), &noted);
    story = timeline_of(fixture, jo);

    CU_ASSERT_EQUAL_FATAL(story.n_entries, 4);
    CHECK_TEXT(story.entries[0]->summary, "Note: Prefers mornings");
    CHECK_TEXT(story.entries[0]->source, "feedback");
    CHECK_TEXT(story.entries[1]->summary, "Added 2 × lamp-1 to the cart");
    CHECK_TEXT(story.entries[1]->type, "LineAdded");
    CHECK_TEXT(story.entries[1]->aggregate, "carts/a");
    CHECK_INT(story.entries[1]->aggregate_sequence, 2);
    CHECK_TEXT(story.entries[2]->summary, "Opened a cart");
    CHECK_TEXT(story.entries[3]->summary, "Became a customer");
    CHECK_TEXT(story.entries[3]->actor, "agents/kim");
    CHECK_TEXT(story.entries[3]->channel, "care");
    CHECK_INT(count_of(&story, "cart"), 2);
    CHECK_INT(count_of(&story, "feedback"), 1);
    CHECK_INT(count_of(&story, "identity"), 1);
    CHECK_INT(count_of(&story, "notification"), 0);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void what_an_anonymous_cart_told_is_its_customers_in_the_end(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    Cart *cart = a_cart(fixture, "carts/a", ""), *stranger = a_cart(fixture, "carts/b", "");
    CustomerAttached attached = THROUGHLINE__CART__V1__CUSTOMER_ATTACHED__INIT;
    ListTimelineResponse story;

    tell_opened(fixture, cart);
    tell_opened(fixture, stranger);
    for (int i = 0; i < 10; i++)
        tell_line(fixture, cart, "lamp-1", 1);
    cart->customer = (char *)jo;
    attached.cart = cart;
    tell(fixture, "cart", cart, &attached);
    tell_line(fixture, cart, "rope-7", 1);
    story = timeline_of(fixture, jo);

    CU_ASSERT_EQUAL_FATAL(count_of(&story, "cart"), 13);
    for (int i = 0; i < 13; i++)
        CHECK_INT(story.entries[i]->aggregate_sequence, 13 - i);
    CHECK_TEXT(story.entries[12]->origin, "");
    CHECK_TEXT(story.entries[0]->origin, jo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static int count_with(const ListTimelineResponse *story, const Event *event)
{
    int count = 0;

    for (size_t i = 0; i < story->n_entries; i++)
        count += text_equal(story->entries[i]->aggregate, event->aggregate) &&
                 story->entries[i]->aggregate_sequence == event->aggregate_sequence &&
                 text_equal(story->entries[i]->origin, event->customer);
    return count;
}

/* As the log of a cart service would tell it. */
static Event *an_event(
    Fixture *fixture, int64_t sequence, const char *customer, const ProtobufCMessage *payload)
{
    Arena *arena = fixture_arena(fixture);
    Event *event = message_new(arena, &throughline__event__v1__event__descriptor);
    Bytes packed = message_pack(arena, payload);

    event->payload = message_new(arena, &google__protobuf__any__descriptor);
    event->payload->type_url =
        arena_printf(arena, "type.googleapis.com/%s", payload->descriptor->name);
    event->payload->value = (ProtobufCBinaryData){ packed.size, (uint8_t *)packed.data };
    event->source = (char *)"cart";
    event->partition = 3;
    event->sequence = event->aggregate_sequence = sequence;
    event->aggregate = (char *)"carts/a";
    event->customer = (char *)customer;
    event->time = timestamp_from_micros(arena, sequence * 1000000);
    return event;
}

/* Twice, as after a crash. Told of another cart in between, the customer is found for each. */
static void events_that_are_told_together_are_told_as_one_by_one(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    LineAdded line = THROUGHLINE__CART__V1__LINE_ADDED__INIT;
    CustomerAttached attached = THROUGHLINE__CART__V1__CUSTOMER_ATTACHED__INIT;
    const Event *events[] = { an_event(fixture, 1, "", &line.base),
        an_event(fixture, 2, "", &line.base), an_event(fixture, 3, jo, &attached.base),
        an_event(fixture, 4, jo, &line.base), an_event(fixture, 5, "", &line.base),
        an_event(fixture, 6, jo, &line.base) };
    StoreView view = fixture_view(fixture);
    RpcContext context = { "", "", "", "", "", "" };
    RpcCall *call =
        rpc_internal_call(view.arena, "events/cart", &context, fixture_context(fixture));
    ListTimelineResponse story;

    call->store = &view;
    for (int i = 0; i < 2; i++) {
        CHECK_TEXT(error_reason(tell_events(call, events, COUNT(events))), "OK");
        story = timeline_of(fixture, jo);

        CU_ASSERT_EQUAL_FATAL(count_of(&story, "cart"), 6);
        for (size_t j = 0; j < COUNT(events); j++)
            CHECK_INT(count_with(&story, events[j]), 1);
    }
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

/* The anonymous cart is in a partition of its own: its events may come before or behind those of
 * the customer. */
static void a_cart_merged_away_takes_its_past_along(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    Cart *known = a_cart(fixture, "carts/known", jo), *guest = a_cart(fixture, "carts/guest", "");
    CartMerged merged = THROUGHLINE__CART__V1__CART_MERGED__INIT;
    CartClosedByMerge closed = THROUGHLINE__CART__V1__CART_CLOSED_BY_MERGE__INIT;
    ListTimelineResponse story;

    tell_opened(fixture, guest);
    tell_opened(fixture, known);
    merged.cart = known;
    merged.source = guest->name;
    tell(fixture, "cart", known, &merged);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    closed.cart = guest;
    tell(fixture, "cart", guest, &closed);
    story = timeline_of(fixture, jo);

    CHECK_INT(count_of(&story, "cart"), 4);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_merge_joins_two_stories(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", NULL);
    Cart *late = a_cart(fixture, "carts/late", bo);
    ListTimelineResponse story;
    Customer reply;

    for (int i = 0; i < 150; i++)
        tell_line(fixture, late, "lamp-1", 1);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    CU_ASSERT_PTR_NULL(merge(fixture, jo, bo, "", &reply));
    tell_line(fixture, late, "rope-7", 1);
    story = timeline_of(fixture, bo);

    CHECK_INT(count_of(&story, "cart"), 151);
    CHECK_INT(count_of(&story, "identity"), 3);
    for (size_t i = 0; i < story.n_entries; i++)
        CHECK_TEXT(story.entries[i]->customer, jo);
    CHECK_TEXT(story.entries[0]->origin, bo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void pages_go_back_in_time_without_a_gap(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    Cart *cart = a_cart(fixture, "carts/a", jo);
    ListTimelineResponse page = THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_RESPONSE__INIT;
    int64_t next = 20;
    int pages = 0;

    for (int i = 0; i < 20; i++)
        tell_line(fixture, cart, "lamp-1", 1);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    do {
        page = timeline_page(fixture, jo, 6, page.next_page_token);
        CHECK_INT(page.n_sources > 0, pages == 0);
        for (size_t i = 0; i < page.n_entries && next > 0; i++)
            CHECK_INT(page.entries[i]->aggregate_sequence, next--);
    } while (++pages < 9 && *page.next_page_token);

    CHECK_INT(next, 0);
    CHECK_INT(pages, 4);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

/* Everything the sources told is told again: no entry is doubled. */
static void a_projection_that_begins_again_doubles_nothing(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    Cart *cart = a_cart(fixture, "carts/a", jo);
    StoreView view = fixture_view(fixture);
    ListTimelineResponse story;

    for (int i = 0; i < 5; i++)
        tell_line(fixture, cart, "lamp-1", 1);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    CU_ASSERT_PTR_NULL(store_delete(&view, &event_leases, "leases/consumer-cart", ""));
    fixture_restart(fixture);
    tell_line(fixture, cart, "lamp-1", 1);
    story = timeline_of(fixture, jo);

    CHECK_INT(count_of(&story, "cart"), 6);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void timelines_of_nobody_are_not_found(void)
{
    Fixture *fixture = start_identity();
    ListTimelineRequest request = THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_REQUEST__INIT;
    ListTimelineResponse reply = THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_RESPONSE__INIT;

    CU_ASSERT_TRUE(blames(
        fixture_call(fixture, "CustomerService/ListTimeline", &request, &reply), "customer"));
    request.customer = "customers/nobody";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/ListTimeline", &request, &reply)),
        "CUSTOMER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_channel_is_in_one_story", every_channel_is_in_one_story },
        { "events_that_are_told_together_are_told_as_one_by_one",
            events_that_are_told_together_are_told_as_one_by_one },
        { "what_an_anonymous_cart_told_is_its_customers_in_the_end",
            what_an_anonymous_cart_told_is_its_customers_in_the_end },
        { "a_cart_merged_away_takes_its_past_along", a_cart_merged_away_takes_its_past_along },
        { "a_merge_joins_two_stories", a_merge_joins_two_stories },
        { "pages_go_back_in_time_without_a_gap", pages_go_back_in_time_without_a_gap },
        { "a_projection_that_begins_again_doubles_nothing",
            a_projection_that_begins_again_doubles_nothing },
        { "timelines_of_nobody_are_not_found", timelines_of_nobody_are_not_found },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "timeline", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_timeline_service", suites, argc, argv);
}
