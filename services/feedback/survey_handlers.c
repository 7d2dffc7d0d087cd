/* Survey answers: one for a customer, subject and kind; the unhappy ones are followed up. */
#include "services/feedback/survey_handlers.h"

#include "services/feedback/case_intake.h"
#include "services/feedback/owners.h"
#include "shared/base/id.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/service/aliases.h"

typedef Throughline__Feedback__V1__RecordAnswerRequest RecordAnswerRequest;
typedef Throughline__Feedback__V1__GetAnswerRequest GetAnswerRequest;
typedef Throughline__Feedback__V1__SurveyAnswered SurveyAnswered;

static const Error survey_answered = { ERROR_FAILED_PRECONDITION, "SURVEY_ANSWERED",
    "The customer has answered this survey on this subject before." };

static const Error answer_not_found = { ERROR_NOT_FOUND, "SURVEY_ANSWER_NOT_FOUND",
    "There is no such answer." };

static void check_answer(RpcCall *call, const SurveyAnswer *answer)
{
    int32_t least, most;

    check_present(call, "answer", answer);
    if (!answer)
        return;
    check_name(call, "answer.customer", answer->customer, "customers/*");
    check_text(call, "answer.comment", answer->comment, 0, CASE_MAX_TEXT);
    if (!text_is_empty(answer->subject) && !text_matches_name(answer->subject, "orders/*") &&
        !text_matches_name(answer->subject, "cases/*"))
        check_fail(call, "answer.subject", "must be an order, a case or nothing");
    if (!answer->kind ||
        !protobuf_c_enum_descriptor_get_value(
            &throughline__feedback__v1__survey_answer__kind__descriptor, answer->kind)) {
        check_enum(call, "answer.kind", &throughline__feedback__v1__survey_answer__kind__descriptor,
            answer->kind);
        return;
    }
    survey_range(answer->kind, &least, &most);
    if (answer->value_case == THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__VALUE__NOT_SET)
        check_fail(call, "answer.score", "is required");
    else
        check_range(call, "answer.score", answer->score, least, most);
}

/* The name is made from what an answer may exist once for: a second one meets the first in the
 * store. */
static char *name_from(RpcCall *call, const char *collection, const SurveyAnswer *answer)
{
    char id[ID_SIZE];

    id_from(arena_printf(call->arena, "%s\n%s\n%s\n%d", collection, answer->customer,
                answer->subject, (int)answer->kind),
        id);
    return arena_printf(call->arena, "%s/%s", collection, id);
}

const Error *survey_open_case(RpcCall *call, const SurveyAnswer *answer)
{
    StoreView steps = store_steps(call->store);
    Case record = THROUGHLINE__FEEDBACK__V1__CASE__INIT;
    CaseMessage *message = intake_message(call, survey_case_text(answer, call->arena));
    const Error *error;

    if (text_is_empty(answer->opened_case))
        return NULL;
    message->time = answer->create_time;
    record.name = answer->opened_case;
    record.customer = answer->customer;
    case_open(&record, survey_case_subject(answer, call->arena), message, call->arena);
    error = intake_open_case(&steps, &record, record.customer, true);
    return error && text_equal(error->reason, "CASE_EXISTS") ? NULL : error;
}

const Error *record_answer(RpcCall *call, const void *request, void *reply)
{
    const RecordAnswerRequest *req = request;
    SurveyAnswer *answer = reply;
    SurveyAnswered event = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWERED__INIT;
    const char *customer;
    const Error *error;

    /* validate */
    check_answer(call, req->answer);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) ||
        (error = alias_survivor(call->store, req->answer->customer, &customer)) ||
        (error = owners_check_speaker(call, customer)))
        return error;

    /* decide */
    answer->customer = (char *)customer;
    answer->kind = req->answer->kind;
    answer->value_case = req->answer->value_case;
    answer->score = req->answer->score;
    answer->comment = req->answer->comment;
    answer->subject = req->answer->subject;
    answer->channel = (char *)call->context.channel;
    answer->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    answer->name = name_from(call, "surveyAnswers", answer);
    if (survey_is_unhappy(answer))
        answer->opened_case = name_from(call, "cases", answer);

    /* store */
    event.answer = answer;
    error = store_insert(call->store, &survey_answers, answer, &event);
    if (error)
        return text_equal(error->reason, "SURVEY_ANSWER_EXISTS") ? &survey_answered : error;
    /* The answer is kept; where this fails, its event opens the case. */
    (void)survey_open_case(call, answer);
    return NULL;
}

const Error *get_answer(RpcCall *call, const void *request, void *reply)
{
    const GetAnswerRequest *req = request;
    SurveyAnswer *answer = reply;
    const Error *error;

    check_name(call, "name", req->name, "surveyAnswers/*");
    if ((error = check_result(call)) ||
        (error = store_get(call->store, &survey_answers, req->name, answer)))
        return error->code == ERROR_NOT_FOUND ? &answer_not_found : error;
    return alias_check_reader(call, answer->customer, &answer_not_found);
}
