#include "services/cart/domain/access.h"

#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

static void a_cart_is_its_customers_only(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor ann = an_actor("customers/ann"), bob = an_actor("customers/bob");

    CU_ASSERT_PTR_NULL(cart_check_change(cart, &ann));
    CU_ASSERT_PTR_NULL(cart_check_read(cart, &ann));
    CHECK_TEXT(error_reason(cart_check_change(cart, &bob)), "CART_NOT_FOUND");
    CHECK_TEXT(error_reason(cart_check_read(cart, &bob)), "CART_NOT_FOUND");
    arena_free(arena);
}

static void nobody_is_not_the_customer_of_an_anonymous_cart(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "");
    Actor nobody = an_actor(""), web = an_actor("anonymous/web"), other = an_actor("anonymous/app");

    CU_ASSERT_FALSE(cart_may_change(cart, &nobody));
    CU_ASSERT_FALSE(cart_may_read(cart, &nobody));
    CU_ASSERT(cart_may_change(cart, &web));
    CU_ASSERT_FALSE(cart_may_read(cart, &other));
    arena_free(arena);
}

static void a_service_reads_and_does_not_change(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor service = an_actor("services/identity"), pretender = service;

    service.is_service = true;

    CU_ASSERT(cart_may_read(cart, &service));
    CU_ASSERT_FALSE(cart_may_change(cart, &service));
    CU_ASSERT_FALSE(cart_may_read(cart, &pretender));
    arena_free(arena);
}

static void an_agent_sees_a_cart_between_joining_and_leaving(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor agent = an_actor("agents/kim");
    AgentJoined joined = THROUGHLINE__CART__V1__AGENT_JOINED__INIT, again = joined;
    AgentLeft left = THROUGHLINE__CART__V1__AGENT_LEFT__INIT;

    CU_ASSERT_FALSE(cart_may_read(cart, &agent));
    CU_ASSERT_PTR_NULL(cart_join(cart, &agent, arena, &joined));
    CU_ASSERT(cart_may_change(cart, &agent));
    CHECK_TEXT(joined.agent, "agents/kim");
    CU_ASSERT_PTR_NULL(cart_join(cart, &agent, arena, &again));
    CU_ASSERT_PTR_NULL(again.cart);
    CHECK_INT(cart->n_participants, 1);

    CU_ASSERT_PTR_NULL(cart_leave(cart, &agent, arena, &left));
    CU_ASSERT_FALSE(cart_may_read(cart, &agent));
    CHECK_TEXT(error_reason(cart_leave(cart, &agent, arena, &left)), "CART_NOT_FOUND");
    arena_free(arena);
}

static void leaving_takes_out_only_who_leaves(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    const char *const names[] = { "agents/a", "agents/b", "agents/c" };
    AgentLeft left = THROUGHLINE__CART__V1__AGENT_LEFT__INIT;
    Actor second = an_actor("agents/b");

    for (size_t i = 0; i < COUNT(names); i++) {
        AgentJoined joined = THROUGHLINE__CART__V1__AGENT_JOINED__INIT;
        Actor agent = an_actor(names[i]);

        CU_ASSERT_PTR_NULL(cart_join(cart, &agent, arena, &joined));
    }
    CU_ASSERT_PTR_NULL(cart_leave(cart, &second, arena, &left));

    CHECK_INT(cart->n_participants, 2);
    CHECK_TEXT(cart->participants[0]->actor, "agents/a");
    CHECK_TEXT(cart->participants[1]->actor, "agents/c");
    arena_free(arena);
}

static void only_agents_join_and_only_for_whom_they_act(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    AgentJoined event = THROUGHLINE__CART__V1__AGENT_JOINED__INIT;
    Actor bob = an_actor("customers/bob"), agent = an_actor("agents/kim");

    CHECK_TEXT(error_reason(cart_join(cart, &bob, arena, &event)), "NOT_AN_AGENT");
    agent.on_behalf_of = "customers/bob";
    CHECK_TEXT(error_reason(cart_join(cart, &agent, arena, &event)), "CART_NOT_FOUND");
    agent.on_behalf_of = "customers/ann";
    CU_ASSERT_PTR_NULL(cart_join(cart, &agent, arena, &event));
    arena_free(arena);
}

static void a_cart_takes_twenty_agents_and_twenty_holders(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    AgentJoined joined = THROUGHLINE__CART__V1__AGENT_JOINED__INIT;
    HandoffClaimed claimed = THROUGHLINE__CART__V1__HANDOFF_CLAIMED__INIT;

    for (int i = 0; i < CART_MAX_PARTICIPANTS; i++) {
        Actor agent = an_actor(arena_printf(arena, "agents/%d", i));
        Actor holder = an_actor(arena_printf(arena, "anonymous/%d", i));

        CU_ASSERT_PTR_NULL(cart_join(cart, &agent, arena, &joined));
        CU_ASSERT_PTR_NULL(cart_claim(cart, &holder, arena, &claimed));
    }
    Actor agent = an_actor("agents/more"), holder = an_actor("anonymous/more");

    CHECK_TEXT(error_reason(cart_join(cart, &agent, arena, &joined)), "CART_CROWDED");
    CHECK_TEXT(error_reason(cart_claim(cart, &holder, arena, &claimed)), "CART_CROWDED");
    arena_free(arena);
}

static void who_comes_and_goes_leaves_quotes_as_they_are(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor agent = an_actor("agents/kim"), till = an_actor("anonymous/till");
    AgentJoined joined = THROUGHLINE__CART__V1__AGENT_JOINED__INIT;
    HandoffClaimed claimed = THROUGHLINE__CART__V1__HANDOFF_CLAIMED__INIT;
    LineRemoved removed = THROUGHLINE__CART__V1__LINE_REMOVED__INIT;

    a_line(arena, cart, "tent", 1, 19900);
    CHECK_TEXT(cart_content_etag(cart), "7");
    CU_ASSERT_PTR_NULL(cart_join(cart, &agent, arena, &joined));
    cart->etag = arena_text(arena, "8");
    CHECK_TEXT(cart_content_etag(cart), "7");
    CU_ASSERT_PTR_NULL(cart_claim(cart, &till, arena, &claimed));
    cart->etag = arena_text(arena, "9");
    CHECK_TEXT(cart_content_etag(cart), "7");

    CU_ASSERT_PTR_NULL(cart_remove_line(cart, "tent", &till, arena, &removed));
    cart->etag = arena_text(arena, "10");
    CHECK_TEXT(cart_content_etag(cart), "10");
    arena_free(arena);
}

static void a_code_lets_agents_in_as_agents_and_others_as_holders(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor agent = an_actor("agents/kim"), bob = an_actor("customers/bob");
    HandoffClaimed event = THROUGHLINE__CART__V1__HANDOFF_CLAIMED__INIT;

    CU_ASSERT_PTR_NULL(cart_claim(cart, &agent, arena, &event));
    CU_ASSERT_PTR_NULL(cart_claim(cart, &bob, arena, &event));
    CU_ASSERT_PTR_NULL(cart_claim(cart, &bob, arena, &event));

    CHECK_INT(cart->n_participants, 1);
    CHECK_INT(cart->n_holders, 1);
    CHECK_TEXT(event.actor, "customers/bob");
    CU_ASSERT(cart_may_change(cart, &agent) && cart_may_change(cart, &bob));
    arena_free(arena);
}

static void closed_carts_let_nobody_in(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor agent = an_actor("agents/kim");
    AgentJoined joined = THROUGHLINE__CART__V1__AGENT_JOINED__INIT;
    HandoffClaimed claimed = THROUGHLINE__CART__V1__HANDOFF_CLAIMED__INIT;

    cart->state = THROUGHLINE__CART__V1__CART__STATE__ORDERED;

    CHECK_TEXT(error_reason(cart_join(cart, &agent, arena, &joined)), "CART_CLOSED");
    CHECK_TEXT(error_reason(cart_claim(cart, &agent, arena, &claimed)), "CART_CLOSED");
    arena_free(arena);
}

static void a_cart_is_attached_by_its_holder_or_by_the_customer(void)
{
    Arena *arena = arena_new();
    Cart *anonymous = a_cart(arena, ""), *owned = a_cart(arena, "customers/bob");
    Actor ann = an_actor("customers/ann"), web = an_actor("anonymous/web");
    Actor other = an_actor("anonymous/other");

    CU_ASSERT_PTR_NULL(cart_check_attach(anonymous, &ann, "customers/ann"));
    CU_ASSERT_PTR_NULL(cart_check_attach(anonymous, &web, "customers/ann"));
    CHECK_TEXT(
        error_reason(cart_check_attach(anonymous, &other, "customers/ann")), "CART_NOT_FOUND");
    CHECK_TEXT(error_reason(cart_check_attach(anonymous, &ann, "customers/bob")), "CART_NOT_FOUND");
    CHECK_TEXT(error_reason(cart_check_attach(owned, &ann, "customers/ann")), "CART_NOT_FOUND");
    arena_free(arena);
}

static void an_order_is_read_by_its_customer_their_agent_and_services(void)
{
    Actor ann = an_actor("customers/ann"), bob = an_actor("customers/bob");
    Actor agent = an_actor("agents/kim"), service = an_actor("services/feedback");

    service.is_service = true;

    CU_ASSERT(order_may_read("customers/ann", &ann));
    CU_ASSERT_FALSE(order_may_read("customers/ann", &bob));
    CU_ASSERT(order_may_read("customers/ann", &service));
    CU_ASSERT_FALSE(order_may_read("customers/ann", &agent));
    agent.on_behalf_of = "customers/ann";
    CU_ASSERT(order_may_read("customers/ann", &agent));
    bob.on_behalf_of = "customers/ann";
    CU_ASSERT_FALSE(order_may_read("customers/ann", &bob));
}

static CU_TestInfo tests[] = {
    { "a_cart_is_its_customers_only", a_cart_is_its_customers_only },
    { "nobody_is_not_the_customer_of_an_anonymous_cart",
        nobody_is_not_the_customer_of_an_anonymous_cart },
    { "a_service_reads_and_does_not_change", a_service_reads_and_does_not_change },
    { "an_agent_sees_a_cart_between_joining_and_leaving",
        an_agent_sees_a_cart_between_joining_and_leaving },
    { "leaving_takes_out_only_who_leaves", leaving_takes_out_only_who_leaves },
    { "only_agents_join_and_only_for_whom_they_act", only_agents_join_and_only_for_whom_they_act },
    { "a_cart_takes_twenty_agents_and_twenty_holders",
        a_cart_takes_twenty_agents_and_twenty_holders },
    { "who_comes_and_goes_leaves_quotes_as_they_are",
        who_comes_and_goes_leaves_quotes_as_they_are },
    { "a_code_lets_agents_in_as_agents_and_others_as_holders",
        a_code_lets_agents_in_as_agents_and_others_as_holders },
    { "closed_carts_let_nobody_in", closed_carts_let_nobody_in },
    { "a_cart_is_attached_by_its_holder_or_by_the_customer",
        a_cart_is_attached_by_its_holder_or_by_the_customer },
    { "an_order_is_read_by_its_customer_their_agent_and_services",
        an_order_is_read_by_its_customer_their_agent_and_services },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "cart access", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_access", suites, argc, argv);
}
