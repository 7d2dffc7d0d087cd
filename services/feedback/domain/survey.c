#include "services/feedback/domain/survey.h"

#include "shared/base/text.h"

#include <assert.h>

static const struct {
    const char *name;
    int32_t least, most, unhappy;
} kinds[] = {
    [THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__NPS] = { "NPS", 0, 10, 6 },
    [THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__CSAT] = { "CSAT", 1, 5, 2 },
    [THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__CES] = { "CES", 1, 7, 3 },
};

void survey_range(int kind, int32_t *least, int32_t *most)
{
    assert(kind > 0 && (size_t)kind < COUNT(kinds));
    *least = kinds[kind].least;
    *most = kinds[kind].most;
}

bool survey_is_unhappy(const SurveyAnswer *answer)
{
    return answer->score <= kinds[answer->kind].unhappy;
}

const char *survey_case_subject(const SurveyAnswer *answer, Arena *arena)
{
    return arena_printf(arena, "Unhappy: %s %d%s%s", kinds[answer->kind].name, answer->score,
        text_is_empty(answer->subject) ? "" : " about ", answer->subject);
}

const char *survey_case_text(const SurveyAnswer *answer, Arena *arena)
{
    if (!text_is_empty(answer->comment))
        return answer->comment;
    return arena_printf(
        arena, "Answered %s %d and said no more.", kinds[answer->kind].name, answer->score);
}
