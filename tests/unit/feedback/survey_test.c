#include "services/feedback/domain/survey.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#define NPS THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__NPS
#define CSAT THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__CSAT
#define CES THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__CES

static SurveyAnswer an_answer(int kind, int32_t score)
{
    SurveyAnswer answer = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__INIT;

    answer.kind = (Throughline__Feedback__V1__SurveyAnswer__Kind)kind;
    answer.score = score;
    return answer;
}

static void every_kind_has_its_range_and_its_unhappy_part(void)
{
    static const struct {
        int kind;
        int32_t least, most, unhappy;
    } cases[] = { { NPS, 0, 10, 6 }, { CSAT, 1, 5, 2 }, { CES, 1, 7, 3 } };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int32_t least, most;

        survey_range(cases[i].kind, &least, &most);
        CHECK_INT(least, cases[i].least);
        CHECK_INT(most, cases[i].most);
        for (int32_t score = least; score <= most; score++) {
            SurveyAnswer answer = an_answer(cases[i].kind, score);

            CHECK_INT(survey_is_unhappy(&answer), score <= cases[i].unhappy);
        }
    }
}

static void the_case_of_an_answer_says_what_it_is_about(void)
{
    Arena *arena = arena_new();
    SurveyAnswer answer = an_answer(NPS, 3);

    CHECK_TEXT(survey_case_subject(&answer, arena), "Unhappy: NPS 3");
    CHECK_TEXT(survey_case_text(&answer, arena), "Answered NPS 3 and said no more.");
    answer.subject = "orders/a";
    answer.comment = "Came late";
    CHECK_TEXT(survey_case_subject(&answer, arena), "Unhappy: NPS 3 about orders/a");
    CHECK_TEXT(survey_case_text(&answer, arena), "Came late");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_kind_has_its_range_and_its_unhappy_part",
            every_kind_has_its_range_and_its_unhappy_part },
        { "the_case_of_an_answer_says_what_it_is_about",
            the_case_of_an_answer_says_what_it_is_about },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "survey", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("feedback_survey", suites, argc, argv);
}
