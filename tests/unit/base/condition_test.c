#include "shared/base/condition.h"

#include "shared/base/clock.h"
#include "tests/support/test_main.h"

typedef struct News {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_there;
} News;

static News news;

static void set_up(void)
{
    news = (News){ 0 };
    pthread_mutex_init(&news.lock, NULL);
    condition_init(&news.changed);
}

static void tear_down(void)
{
    pthread_cond_destroy(&news.changed);
    pthread_mutex_destroy(&news.lock);
}

static void *bring(void *context)
{
    (void)context;
    pthread_mutex_lock(&news.lock);
    news.is_there = true;
    pthread_cond_signal(&news.changed);
    pthread_mutex_unlock(&news.lock);
    return NULL;
}

static void what_another_thread_says_ends_a_wait(void)
{
    pthread_t thread;
    bool is_in_time = true;

    pthread_mutex_lock(&news.lock);
    CU_ASSERT_FATAL(!pthread_create(&thread, NULL, bring, NULL));
    while (!news.is_there && is_in_time)
        is_in_time = condition_wait_until(&news.changed, &news.lock, INT64_MAX);
    pthread_mutex_unlock(&news.lock);
    pthread_join(thread, NULL);

    CU_ASSERT(is_in_time);
}

static void a_wait_ends_when_its_moment_has_come(void)
{
    int64_t until = clock_monotonic() + 20000;

    pthread_mutex_lock(&news.lock);
    while (condition_wait_until(&news.changed, &news.lock, until))
        continue;
    CU_ASSERT_FALSE(condition_wait_until(&news.changed, &news.lock, until));
    pthread_mutex_unlock(&news.lock);

    CU_ASSERT(clock_monotonic() >= until);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what_another_thread_says_ends_a_wait", what_another_thread_says_ends_a_wait },
        { "a_wait_ends_when_its_moment_has_come", a_wait_ends_when_its_moment_has_come },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "condition", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_condition", suites, argc, argv);
}
