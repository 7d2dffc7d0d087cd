/* Survey answers: their ranges, and which of them are unhappy. */
#ifndef THROUGHLINE_FEEDBACK_SURVEY_H
#define THROUGHLINE_FEEDBACK_SURVEY_H

#include "services/feedback/domain/case.h"

typedef Throughline__Feedback__V1__SurveyAnswer SurveyAnswer;

/* The scores that the kind allows. */
void survey_range(int kind, int32_t *least, int32_t *most);

/* Somebody should look after it: detractors (NPS up to 6), the dissatisfied (CSAT up to 2), those
 * who had it hard (CES up to 3). */
bool survey_is_unhappy(const SurveyAnswer *answer);

/* What the case of an unhappy answer says: subject and the customer's words. */
const char *survey_case_subject(const SurveyAnswer *answer, Arena *arena);
const char *survey_case_text(const SurveyAnswer *answer, Arena *arena);

#endif
