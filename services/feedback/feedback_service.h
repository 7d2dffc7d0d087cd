/* What the parts of feedback share. */
#ifndef THROUGHLINE_SERVICES_FEEDBACK_FEEDBACK_SERVICE_H
#define THROUGHLINE_SERVICES_FEEDBACK_FEEDBACK_SERVICE_H

#include "services/feedback/domain/case.h"
#include "services/feedback/domain/order.h"
#include "services/feedback/domain/survey.h"
#include "shared/service/race.h"
#include "shared/service/service.h"

#include "throughline/feedback/v1/events.pb-c.h"
#include "throughline/feedback/v1/records.pb-c.h"

typedef Throughline__Feedback__V1__Mention Mention;
typedef Throughline__Feedback__V1__Note Note;
typedef Throughline__Feedback__V1__HandleOwner HandleOwner;

extern const Collection cases;
extern const Collection mentions;
extern const Collection notes;
extern const Collection order_summaries;
extern const Collection survey_answers;
extern const Collection handle_owners;
extern const Collection *const feedback_collections[];

extern const RpcService case_rpcs;
extern const Service feedback_service;

#endif
