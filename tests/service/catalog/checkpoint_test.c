/* Thousands of releases: checkpoints of their rules are what all changes one after the other come to, and whoever starts reads no
 * release before the newest of them. */
#include "services/catalog/governance/rule_checkpoint.h"
#include "shared/codec/message.h"
#include "tests/service/catalog/replicas.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/rule_builders.h"

#include <string.h>

enum {
    RELEASES = 3000,
    RULES = 40,
    REMOVED_EVERY = 7,
    STRETCH = 250,
    SPACING = 100,
    POINTS = 9000
};

static Replicas replicas;
static Replica *replica;
static RuleBook *folded[RELEASES + 1]; /* what the changes come to, release by release */
static int64_t n_releases;             /* over MongoDB fewer: each is written by itself */

/* One release changes one rule; some take it out. */
static void write_release(StoreView *view, int64_t number, StoreWrite *writes)
{
    Arena *arena = view->arena;
    ReleaseChange *change =
        message_new(arena, &throughline__catalog__v1__release_change__descriptor);
    Release *release = message_new(arena, &throughline__catalog__v1__release__descriptor);
    const char *name = arena_printf(arena, "r%lld", (long long)(number % RULES));
    const BookRule *before;

    change->rule = arena_printf(arena, "promotions/%s", name);
    before = rule_book_find(folded[number - 1], change->rule);
    change->release = release->number = number;
    change->change_set = release->change_set = arena_printf(arena, "%lld-test", (long long)number);
    change->name = arena_printf(arena, "releaseChanges/%s.0", change->change_set);
    change->before = book_rule_unpack(before, arena);
    change->before_release = before ? before->changed_in : 0;
    if (!before || number % REMOVED_EVERY)
        change->after = a_rule(arena, name, (int32_t)(number % POINTS) + 1);
    folded[number] = rule_book_next(
        folded[number - 1], number, &(BookChange){ change->rule, change->after, number }, 1);
    release->name = release_name(arena, number);
    release->change_count = 1;
    release->digest.data = (uint8_t *)rule_book_digest(folded[number]);
    release->digest.len = RULE_BOOK_DIGEST;
    writes[0] =
        (StoreWrite){ .kind = STORE_PUT, .collection = &release_changes, .message = change };
    writes[1] = (StoreWrite){ .kind = STORE_PUT, .collection = &releases, .message = release };
}

static void write_releases(Arena *arena, int64_t first)
{
    StoreView *view = replica_call(replica, arena, "publisher")->store;
    StoreWrite writes[2 * STRETCH] = { 0 };

    for (int64_t i = 0; i < STRETCH; i++)
        write_release(view, first + i, &writes[2 * i]);
    CHECK_TEXT(error_reason(store_write(view, writes, 2 * STRETCH)), "OK");
}

/* As the job does it: takes up what is there, and keeps a checkpoint when one is due. */
static void work(Arena *arena)
{
    StoreView *view = replica_call(replica, arena, "job")->store;

    CHECK_TEXT(error_reason(rule_shelf_follow(replica->catalog.shelf, view)), "OK");
    CHECK_TEXT(error_reason(rule_shelf_keep(replica->catalog.shelf, view)), "OK");
}

/* All releases, with a checkpoint after each stretch. */
static bool open_releases(bool is_mongo)
{
    Arena *arena;

    if (!replicas_open(&replicas, is_mongo))
        return false;
    replica = &replicas.each[0];
    arena = arena_new();
    folded[0] = rule_book_new();
    n_releases = is_mongo ? STRETCH : RELEASES;
    for (int64_t first = 1; first < n_releases; first += STRETCH) {
        write_releases(arena, first);
        work(arena);
        arena_reset(arena);
    }
    arena_free(arena);
    return true;
}

static void close_releases(void)
{
    for (int64_t i = 0; i <= n_releases; i++)
        rule_book_release(folded[i]);
    replicas_close(&replicas);
}

static StoreView *a_view(void)
{
    return replica_call(replica, replicas.arena, "reader")->store;
}

static bool is_same(const RuleBook *a, const RuleBook *b)
{
    bool is_equal = rule_book_number(a) == rule_book_number(b) &&
                    rule_book_count(a) == rule_book_count(b) &&
                    !memcmp(rule_book_digest(a), rule_book_digest(b), RULE_BOOK_DIGEST);

    for (size_t i = 0; is_equal && i < rule_book_count(a); i++) {
        const BookRule *left = rule_book_at(a, i), *right = rule_book_at(b, i);

        is_equal = text_equal(left->name, right->name) && left->changed_in == right->changed_in &&
                   left->packed.size == right->packed.size &&
                   !memcmp(left->packed.data, right->packed.data, left->packed.size);
    }
    return is_equal;
}

/* Takes over the book. */
static void check_fold(RuleBook *book, int64_t number)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(book);
    CHECK_INT(rule_book_number(book), number);
    CU_ASSERT(is_same(book, folded[rule_book_number(book)]));
    rule_book_release(book);
}

static void check_newest_after_restart(void)
{
    replica_restart(replica);
    CHECK_TEXT(error_reason(rule_shelf_follow(replica->catalog.shelf, a_view())), "OK");
    check_fold(rule_shelf_current(replica->catalog.shelf), n_releases);
}

static void every_checkpoint_is_what_the_changes_come_to(void)
{
    int64_t number = 0, newest;
    int n_found = 0;
    RuleBook *book;

    if (!open_releases(false))
        return;
    CHECK_TEXT(error_reason(rule_checkpoint_newest(a_view(), &newest)), "OK");
    CHECK_INT(newest, RELEASES);
    for (; number < newest; n_found++) {
        CHECK_TEXT(error_reason(rule_checkpoint_after(a_view(), number + 1, &book)), "OK");
        CU_ASSERT_PTR_NOT_NULL_FATAL(book);
        CU_ASSERT(rule_book_number(book) - number >= SPACING);
        number = rule_book_number(book);
        check_fold(book, number);
    }
    CHECK_INT(n_found, RELEASES / STRETCH);
    close_releases();
}

static void any_release_is_had_from_the_nearest_checkpoint(void)
{
    static const int64_t numbers[] = { 0, 1, 249, 250, 251, 1234, 2749, 2995, RELEASES };
    RuleBook *book;

    if (!open_releases(false))
        return;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        CHECK_TEXT(
            error_reason(rule_shelf_at(replica->catalog.shelf, a_view(), numbers[i], &book)), "OK");
        check_fold(book, numbers[i]);
    }
    CHECK_TEXT(error_reason(rule_shelf_at(replica->catalog.shelf, a_view(), RELEASES + 1, &book)),
        "RELEASE_NOT_FOUND");
    close_releases();
}

/* Some before the newest checkpoint are gone, the first one too: whoever read them would stop there. */
static void check_start(bool is_mongo)
{
    if (!open_releases(is_mongo))
        return;
    for (int64_t number = 1; number < n_releases; number += STRETCH)
        CHECK_TEXT(error_reason(
                       store_delete(a_view(), &releases, release_name(replicas.arena, number), "")),
            "OK");
    check_newest_after_restart();
    close_releases();
}

static void a_start_reads_no_release_before_the_newest_checkpoint(void)
{
    check_start(false);
}

static void a_start_over_mongo_reads_none_either(void)
{
    check_start(true);
}

static void put_part(const char *name, Throughline__Catalog__V1__CheckpointRule **rules, size_t n)
{
    Throughline__Catalog__V1__RuleCheckpointPart part =
        THROUGHLINE__CATALOG__V1__RULE_CHECKPOINT_PART__INIT;

    part.name = arena_text(replicas.arena, name);
    part.rules = rules;
    part.n_rules = n;
    CHECK_TEXT(error_reason(store_put(a_view(), &rule_checkpoint_parts, &part, NULL)), "OK");
}

static void a_checkpoint_that_is_not_its_release_is_passed_over(void)
{
    Throughline__Catalog__V1__CheckpointRule rule = THROUGHLINE__CATALOG__V1__CHECKPOINT_RULE__INIT;
    Throughline__Catalog__V1__CheckpointRule *twice[] = { &rule, &rule };
    RuleBook *book;

    if (!open_releases(false))
        return;
    rule.name = arena_text(replicas.arena, "promotions/r1");
    rule.changed_in = 1;
    rule.rule = a_rule(replicas.arena, "r1", 100);
    put_part("ruleCheckpointParts/3000.0", twice, 1); /* other rules than the release's */
    put_part("ruleCheckpointParts/2750.0", twice, 2); /* out of order */
    CHECK_TEXT(error_reason(store_delete(
                   a_view(), &rule_checkpoint_parts, "ruleCheckpointParts/2500.0", "")),
        "OK");
    CHECK_TEXT(error_reason(store_delete(a_view(), &releases, "releases/2250", "")), "OK");

    CHECK_TEXT(error_reason(rule_checkpoint_last(a_view(), &book)), "OK");
    check_fold(book, RELEASES - 4 * STRETCH);
    close_releases();
}

static void what_follows_a_checkpoint_is_taken_up(void)
{
    if (!open_releases(false))
        return;
    CHECK_TEXT(
        error_reason(store_delete(a_view(), &rule_checkpoints, "ruleCheckpoints/3000", "")), "OK");
    check_newest_after_restart();
    close_releases();
}

static CU_TestInfo tests[] = {
    { "every_checkpoint_is_what_the_changes_come_to",
        every_checkpoint_is_what_the_changes_come_to },
    { "any_release_is_had_from_the_nearest_checkpoint",
        any_release_is_had_from_the_nearest_checkpoint },
    { "a_start_reads_no_release_before_the_newest_checkpoint",
        a_start_reads_no_release_before_the_newest_checkpoint },
    { "a_start_over_mongo_reads_none_either", a_start_over_mongo_reads_none_either },
    { "a_checkpoint_that_is_not_its_release_is_passed_over",
        a_checkpoint_that_is_not_its_release_is_passed_over },
    { "what_follows_a_checkpoint_is_taken_up", what_follows_a_checkpoint_is_taken_up },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "checkpoint", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_checkpoint", suites, argc, argv);
}
