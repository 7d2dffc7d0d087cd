/* Handlers of survey answers, which the case service lists. */
#ifndef THROUGHLINE_SERVICES_FEEDBACK_SURVEY_HANDLERS_H
#define THROUGHLINE_SERVICES_FEEDBACK_SURVEY_HANDLERS_H

#include "services/feedback/feedback_service.h"

const Error *record_answer(RpcCall *call, const void *request, void *reply);
const Error *get_answer(RpcCall *call, const void *request, void *reply);

/* Opens the case that an unhappy answer names, unless it is there; nothing for a happy one. */
const Error *survey_open_case(RpcCall *call, const SurveyAnswer *answer);

#endif
