/* Publishers that race, and publishers that die: a release is there whole or not at all, on either engine. */
#include "shared/codec/message.h"
#include "shared/store/engine_failing.h"
#include "tests/service/catalog/replicas.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/rule_builders.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PUBLISHERS = 6, RELEASES_EACH = 4, MAX_OPERATIONS = 40, CUT_RULES = 3 };

static const Error cut_off = { ERROR_DEADLINE_EXCEEDED, "CUT_OFF", "Cut off by the test." };

/* One publisher: a thread that works on one of the replicas. */
typedef struct Publisher {
    Replica *replica;
    Arena *arena;
    int index;
    const char *draft;
    int64_t release;
    const Error *error; /* the first one */
} Publisher;

static void publish_all(Replicas *replicas, Publisher publishers[PUBLISHERS], void *(*work)(void *))
{
    pthread_t threads[PUBLISHERS];

    for (int i = 0; i < PUBLISHERS; i++) {
        publishers[i].replica = &replicas->each[i % REPLICAS];
        publishers[i].arena = arena_new();
        publishers[i].index = i;
        if (pthread_create(&threads[i], NULL, work, &publishers[i]))
            abort();
    }
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_join(threads[i], NULL);
}

static void free_all(Publisher publishers[PUBLISHERS])
{
    for (int i = 0; i < PUBLISHERS; i++)
        arena_free(publishers[i].arena);
}

/* The book of a replica after it has taken up everything. */
static RuleBook *book_of(Replica *replica)
{
    RpcCall *call = replica_call(replica, replica->arena, "reader");

    CHECK_TEXT(error_reason(rule_shelf_follow(replica->catalog.shelf, call->store)), "OK");
    return rule_shelf_current(replica->catalog.shelf);
}

/* What all replicas, one of them with an empty memory, agree on. */
static RuleBook *agreed_book(Replicas *replicas)
{
    RuleBook *book;

    replica_restart(&replicas->each[0]);
    book = book_of(&replicas->each[0]);
    for (int i = 1; i < REPLICAS; i++) {
        RuleBook *other = book_of(&replicas->each[i]);

        CHECK_INT(rule_book_number(other), rule_book_number(book));
        CU_ASSERT(!memcmp(rule_book_digest(other), rule_book_digest(book), RULE_BOOK_DIGEST));
        rule_book_release(other);
    }
    return book;
}

static const Error *plan_one(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    Change *change = a_change(call->arena, context, 100);

    changes->items = arena_array(call->arena, 1, sizeof(*changes->items));
    changes->items[changes->n_items++] = change;
    changes_begin(changes->items, 1, book, call->arena);
    return NULL;
}

static const Error *publish_rule(RpcCall *call, const char *rule)
{
    Release *release = message_new(call->arena, &throughline__catalog__v1__release__descriptor);
    Publication publication = { release, plan_one, arena_text(call->arena, rule), call->store };

    release->kind = RELEASE_DIRECT;
    release->title = arena_text(call->arena, rule);
    release->publication = deed_of(call, "");
    return publish(call, &publication);
}

static void *publish_own_rules(void *context)
{
    Publisher *publisher = context;

    for (int i = 0; i < RELEASES_EACH && !publisher->error; i++)
        publisher->error =
            publish_rule(replica_call(publisher->replica, publisher->arena, "publisher"),
                arena_printf(publisher->arena, "rule-%d-%d", publisher->index, i));
    return NULL;
}

/* Who loses a race leaves nothing behind. */
static void check_history(Replica *replica, const RuleBook *book)
{
    RpcCall *call = replica_call(replica, replica->arena, "reader");

    for (size_t i = 0; i < rule_book_count(book); i++) {
        StoreQuery query = { .index = "rule",
            .equal = { { .kind = STORE_TEXT, .text = rule_book_at(book, i)->name } },
            .limit = STORE_MAX_PAGE };
        StorePage page = { 0 };

        CHECK_TEXT(error_reason(store_find(call->store, &release_changes, &query, &page)), "OK");
        CHECK_INT(page.n_messages, 1);
    }
}

static void race_for_numbers(bool is_mongo)
{
    Publisher publishers[PUBLISHERS] = { 0 };
    Replicas replicas;
    RuleBook *book;

    if (!replicas_open(&replicas, is_mongo))
        return;
    publish_all(&replicas, publishers, publish_own_rules);
    for (int i = 0; i < PUBLISHERS; i++)
        CHECK_TEXT(error_reason(publishers[i].error), "OK");
    book = agreed_book(&replicas);

    CHECK_INT(rule_book_number(book), PUBLISHERS * RELEASES_EACH);
    CHECK_INT(rule_book_count(book), PUBLISHERS * RELEASES_EACH);
    check_history(&replicas.each[0], book);
    rule_book_release(book);
    free_all(publishers);
    replicas_close(&replicas);
}

static void racing_publishers_take_numbers_without_gaps(void)
{
    race_for_numbers(false);
}

static void racing_publishers_take_numbers_without_gaps_over_mongo(void)
{
    race_for_numbers(true);
}

/* An approved draft that somebody has begun to publish, with `n` rules of a prefix. */
static const char *a_publishing_draft(
    Replica *replica, const char *id, const char *prefix, int n_rules)
{
    RpcCall *call = replica_call(replica, replica->arena, "ann");
    Draft *draft = message_new(call->arena, &throughline__catalog__v1__draft__descriptor);
    DraftPart part = THROUGHLINE__CATALOG__V1__DRAFT_PART__INIT;
    RuleBook *book = book_of(replica);

    part.name = arena_printf(call->arena, "draftParts/%s", id);
    part.changes = arena_array(call->arena, (size_t)n_rules, sizeof(*part.changes));
    for (; part.n_changes < (size_t)n_rules; part.n_changes++)
        part.changes[part.n_changes] =
            a_change(call->arena, arena_printf(call->arena, "%s-%zu", prefix, part.n_changes), 100);
    changes_begin(part.changes, part.n_changes, book, call->arena);
    rule_book_release(book);
    draft_open(draft, arena_printf(call->arena, "drafts/%s", id), id, "because",
        a_deed(call->arena, "ann", "merchandising"), call->arena);
    draft_change(draft, part.name, part.n_changes, deed_of(call, ""), call->arena);
    draft->state = DRAFT_PUBLISHING;
    draft->submission = a_deed(call->arena, "ann", "merchandising");
    draft->approval = a_deed(call->arena, "bob", "pricing");
    draft->publication = a_deed(call->arena, "cleo", "operations");
    CU_ASSERT_PTR_NULL(store_insert(call->store, &draft_parts, &part, NULL));
    CU_ASSERT_PTR_NULL(store_insert(call->store, &drafts, draft, NULL));
    return draft->name;
}

static const Error *drive(Replica *replica, Arena *arena, const char *name, int64_t *release)
{
    RpcCall *call = replica_call(replica, arena, "cleo");
    Draft *draft = message_new(arena, &throughline__catalog__v1__draft__descriptor);
    const Error *error;

    if ((error = draft_load(call, name, "", draft)) || (error = publish_changes_of(call, draft)))
        return error;
    *release = draft->release;
    return NULL;
}

static void *drive_draft(void *context)
{
    Publisher *publisher = context;

    publisher->error =
        drive(publisher->replica, publisher->arena, publisher->draft, &publisher->release);
    return NULL;
}

static void race_with_one_draft(bool is_mongo)
{
    Publisher publishers[PUBLISHERS] = { 0 };
    Replicas replicas;
    RuleBook *book;
    const char *draft;

    if (!replicas_open(&replicas, is_mongo))
        return;
    draft = a_publishing_draft(&replicas.each[0], "one", "rule", CUT_RULES);
    for (int i = 0; i < PUBLISHERS; i++)
        publishers[i].draft = draft;
    publish_all(&replicas, publishers, drive_draft);
    book = agreed_book(&replicas);

    for (int i = 0; i < PUBLISHERS; i++) {
        CHECK_TEXT(error_reason(publishers[i].error), "OK");
        CHECK_INT(publishers[i].release, 1);
    }
    CHECK_INT(rule_book_number(book), 1);
    CHECK_INT(rule_book_count(book), CUT_RULES);
    rule_book_release(book);
    free_all(publishers);
    replicas_close(&replicas);
}

static void one_draft_that_many_publish_is_one_release(void)
{
    race_with_one_draft(false);
}

static void one_draft_that_many_publish_is_one_release_over_mongo(void)
{
    race_with_one_draft(true);
}

/* The one that was published, -1 when none was. */
static int find_winner(const Publisher publishers[PUBLISHERS])
{
    int winner = -1;

    for (int i = 0; i < PUBLISHERS; i++)
        if (!publishers[i].error)
            winner = i;
    return winner;
}

static bool names_draft(const Error *error, const char *draft)
{
    for (size_t i = 0; i < error->n_facts; i++)
        if (text_equal(error->facts[i].key, "draft"))
            return text_equal(error->facts[i].value, draft);
    return false;
}

static void race_for_one_rule(bool is_mongo)
{
    Publisher publishers[PUBLISHERS] = { 0 };
    Replicas replicas;
    RuleBook *book;
    int winner;

    if (!replicas_open(&replicas, is_mongo))
        return;
    for (int i = 0; i < PUBLISHERS; i++)
        publishers[i].draft = a_publishing_draft(
            &replicas.each[0], arena_printf(replicas.arena, "d%d", i), "rule", CUT_RULES);
    publish_all(&replicas, publishers, drive_draft);
    book = agreed_book(&replicas);
    winner = find_winner(publishers);

    CU_ASSERT_FATAL(winner >= 0);
    CHECK_INT(rule_book_number(book), 1);
    for (int i = 0; i < PUBLISHERS; i++) {
        if (i == winner)
            continue;
        CHECK_TEXT(error_reason(publishers[i].error), "CHANGE_CONFLICT");
        CU_ASSERT(
            publishers[i].error && names_draft(publishers[i].error, publishers[winner].draft));
    }
    rule_book_release(book);
    free_all(publishers);
    replicas_close(&replicas);
}

static void of_drafts_that_change_one_rule_one_is_published(void)
{
    race_for_one_rule(false);
}

static void of_drafts_that_change_one_rule_one_is_published_over_mongo(void)
{
    race_for_one_rule(true);
}

/* Publishes a draft whose publisher dies with the n-th operation, looks at what others see, then lets another one finish it.
 * False when it did not come to n operations. */
static bool publish_with_a_cut(Replicas *replicas, int n, bool has_effect)
{
    Replica *dying = &replicas->each[0], *other = &replicas->each[1];
    const char *id = arena_printf(replicas->arena, "cut-%d-%d", n, has_effect);
    const char *draft = a_publishing_draft(dying, id, id, CUT_RULES);
    StoreFault fault = { STORE_N_OPERATIONS, n, true, has_effect, &cut_off };
    RuleBook *before = book_of(other), *after, *done;
    int64_t release = 0, again = 0;
    size_t seen;
    const Error *error;

    store_fail(dying->store, &fault);
    error = drive(dying, replicas->arena, draft, &release);
    store_fail(dying->store, NULL);
    replica_restart(dying);
    after = book_of(other);
    seen = rule_book_count(after) - rule_book_count(before);
    CU_ASSERT(seen == 0 || seen == CUT_RULES);

    CHECK_TEXT(error_reason(drive(other, replicas->arena, draft, &again)), "OK");
    done = book_of(other);
    CHECK_INT(rule_book_count(done), rule_book_count(before) + CUT_RULES);
    CHECK_INT(rule_book_number(done), rule_book_number(before) + 1);
    CHECK_INT(again, rule_book_number(done));
    rule_book_release(before);
    rule_book_release(after);
    rule_book_release(done);
    return error != NULL;
}

static void cut_everywhere(bool is_mongo)
{
    Replicas replicas;

    if (!replicas_open(&replicas, is_mongo))
        return;
    for (int has_effect = 0; has_effect <= 1; has_effect++) {
        int n = 1;

        while (n < MAX_OPERATIONS && publish_with_a_cut(&replicas, n, has_effect))
            n++;
        CU_ASSERT(n > 4 && n < MAX_OPERATIONS);
    }
    rule_book_release(agreed_book(&replicas));
    replicas_close(&replicas);
}

static void a_publication_that_is_cut_anywhere_is_whole_or_not_there(void)
{
    cut_everywhere(false);
}

static void a_publication_that_is_cut_anywhere_is_whole_or_not_there_over_mongo(void)
{
    cut_everywhere(true);
}

/* A change of a release is lost: the replica keeps what it had rather than take up a part. */
static void a_release_that_is_not_whole_is_not_taken_up(void)
{
    Replicas replicas;
    Replica *replica = &replicas.each[1];
    RpcCall *call;
    RuleBook *book;
    const Error *error;

    CU_ASSERT_FATAL(replicas_open(&replicas, false));
    call = replica_call(&replicas.each[0], replicas.arena, "ann");
    CU_ASSERT_PTR_NULL(publish_rule(call, "one"));
    rule_book_release(book_of(replica));
    CHECK_TEXT(error_reason(drive(&replicas.each[0], replicas.arena,
                   a_publishing_draft(&replicas.each[0], "two", "two", 2), &(int64_t){ 0 })),
        "OK");
    CU_ASSERT_PTR_NULL(store_delete(call->store, &release_changes, "releaseChanges/2-two.1", ""));

    error = rule_shelf_follow(replica->catalog.shelf, call->store);
    CHECK_TEXT(error_reason(error), "RELEASE_BROKEN");
    book = rule_shelf_current(replica->catalog.shelf);
    CHECK_INT(rule_book_number(book), 1);
    CHECK_INT(rule_book_count(book), 1);
    rule_book_release(book);
    replicas_close(&replicas);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "racing_publishers_take_numbers_without_gaps",
            racing_publishers_take_numbers_without_gaps },
        { "racing_publishers_take_numbers_without_gaps_over_mongo",
            racing_publishers_take_numbers_without_gaps_over_mongo },
        { "one_draft_that_many_publish_is_one_release",
            one_draft_that_many_publish_is_one_release },
        { "one_draft_that_many_publish_is_one_release_over_mongo",
            one_draft_that_many_publish_is_one_release_over_mongo },
        { "of_drafts_that_change_one_rule_one_is_published",
            of_drafts_that_change_one_rule_one_is_published },
        { "of_drafts_that_change_one_rule_one_is_published_over_mongo",
            of_drafts_that_change_one_rule_one_is_published_over_mongo },
        { "a_publication_that_is_cut_anywhere_is_whole_or_not_there",
            a_publication_that_is_cut_anywhere_is_whole_or_not_there },
        { "a_publication_that_is_cut_anywhere_is_whole_or_not_there_over_mongo",
            a_publication_that_is_cut_anywhere_is_whole_or_not_there_over_mongo },
        { "a_release_that_is_not_whole_is_not_taken_up",
            a_release_that_is_not_whole_is_not_taken_up },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "publication", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_publication", suites, argc, argv);
}
