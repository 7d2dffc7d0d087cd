/* The conformance suite: every case on every engine, under the name ENGINE/CASE. */
#include "tests/store/contract_test.h"

#include "shared/base/text.h"

#include <stdio.h>
#include <stdlib.h>

static const CU_TestInfo *const subjects[] = { document_cases, unique_cases, find_cases, page_cases,
    batch_cases, request_cases, outbox_cases, life_cases
};

static void start_embedded(void)
{
    fixture_start(EMBEDDED);
}

static void start_mongo(void)
{
    fixture_start(MONGO);
}

static void skip_mongo(void)
{
    test_skip(engine_missing(MONGO));
}

static char *case_name(const char *engine, const char *name)
{
    char *text;

    if (asprintf(&text, "%s/%s", engine, name) < 0)
        abort();
    return text;
}

/* All cases under the engine's name; without the engine each is skipped by its name. */
static CU_TestInfo *cases_of(EngineKind kind, const char *engine)
{
    CU_TestInfo *cases = NULL;
    size_t count = 0;

    for (size_t i = 0; i < COUNT(subjects); i++)
        for (const CU_TestInfo *it = subjects[i]; it->pName; it++) {
            cases = realloc(cases, (count + 2) * sizeof(*cases));
            if (!cases)
                abort();
            cases[count++] = (CU_TestInfo) { case_name(engine, it->pName),
                engine_missing(kind) ? skip_mongo : it->pTestFunc };
        }
    cases[count] = (CU_TestInfo)CU_TEST_INFO_NULL;
    return cases;
}

static void free_cases(CU_TestInfo *cases)
{
    for (CU_TestInfo *it = cases; it->pName; it++)
        free((char *)(uintptr_t)it->pName);
    free(cases);
}

int main(int argc, char **argv)
{
    bool has_mongo = !engine_missing(MONGO);
    CU_TestInfo *embedded = cases_of(EMBEDDED, "embedded"), *mongo = cases_of(MONGO, "mongo");
    CU_SuiteInfo suites[] = {
        { .pName = "embedded",
            .pSetUpFunc = start_embedded,
            .pTearDownFunc = fixture_stop,
            .pTests = embedded },
        { .pName = "mongo",
            .pSetUpFunc = has_mongo ? start_mongo : NULL,
            .pTearDownFunc = has_mongo ? fixture_stop : NULL,
            .pTests = mongo },
        CU_SUITE_INFO_NULL,
    };
    int result = test_main("contract_test", suites, argc, argv);

    free_cases(embedded);
    free_cases(mongo);
    return result;
}
