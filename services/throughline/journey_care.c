/* The journey after the sale: a complaint from an unknown handle, its resolution, a survey, a message; and what it all came to. */
#include "services/throughline/journey_steps.h"

#include "shared/base/text.h"
#include "shared/codec/types.h"

#include <stdio.h>
#include <string.h>

typedef Throughline__Feedback__V1__Case Case;
typedef Throughline__Feedback__V1__CaseView CaseView;

#define case_service (&throughline__feedback__v1__case_service__descriptor)
#define customer_service (&throughline__identity__v1__customer_service__descriptor)
#define order_service (&throughline__cart__v1__order_service__descriptor)
#define message_service (&throughline__notification__v1__message_service__descriptor)

enum { TIMELINE_PAGE = 100, FIRST_COLUMN = 35 };

static const Error *get_case(Journey *j, CaseView *view)
{
    Throughline__Feedback__V1__GetCaseRequest request =
        THROUGHLINE__FEEDBACK__V1__GET_CASE_REQUEST__INIT;

    throughline__feedback__v1__case_view__init(view);
    request.name = j->case_name;
    return shop_call(j->shop, &j->care, case_service, "GetCase", &request, view);
}

static const Error *case_has_all(Journey *j, bool *done)
{
    CaseView view;
    const Error *error = get_case(j, &view);

    if (error)
        return error;
    *done = text_equal(view.case_record->customer, j->customer) && view.n_orders == 1 &&
            view.n_notes == 1;
    return NULL;
}

static const Error *leave_note(Journey *j)
{
    Throughline__Feedback__V1__RecordNoteRequest request =
        THROUGHLINE__FEEDBACK__V1__RECORD_NOTE_REQUEST__INIT;
    Throughline__Feedback__V1__Note note = THROUGHLINE__FEEDBACK__V1__NOTE__INIT;
    Channel clerk = j->store;
    const Error *error;

    clerk.context.actor = "agents/sam";
    clerk.context.on_behalf_of = j->customer;
    request.customer = j->customer;
    request.text = "Asked for the parcel to be left with the neighbour.";
    request.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &clerk, case_service, "RecordNote", &request, &note)))
        return error;
    journey_say("store", "clerk Sam", "leaves a note that every channel sees");
    return NULL;
}

static const Error *link_handle(Journey *j)
{
    Throughline__Identity__V1__AttachIdentifierRequest request =
        THROUGHLINE__IDENTITY__V1__ATTACH_IDENTIFIER_REQUEST__INIT;
    Throughline__Identity__V1__Identifier handle = THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    Throughline__Identity__V1__Customer customer = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    const Error *error;

    handle.kind = THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__SOCIAL_HANDLE;
    handle.value = j->handle;
    request.customer = j->customer;
    request.identifier = &handle;
    request.request_id = journey_request_id(j);
    if ((error = shop_call(
             j->shop, &j->app, customer_service, "AttachIdentifier", &request, &customer)))
        return error;
    journey_say("app", "Jo", "links %s to the account", j->handle);
    return NULL;
}

const Error *journey_complain(Journey *j)
{
    Throughline__Feedback__V1__RecordMentionRequest request =
        THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    Throughline__Feedback__V1__RecordMentionResponse response =
        THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_RESPONSE__INIT;
    CaseView view;
    const Error *error;

    if ((error = leave_note(j)))
        return error;
    j->social.context.actor = "services/social-listener";
    request.handle = j->handle;
    request.text = "Still no parcel. Is anybody there?";
    request.is_complaint = true;
    request.request_id = journey_request_id(j);
    if ((error =
                shop_call(j->shop, &j->social, case_service, "RecordMention", &request, &response)))
        return error;
    j->case_name = response.case_name;
    if ((error = get_case(j, &view)))
        return error;
    if (!text_is_empty(view.case_record->customer))
        return journey_broken(j, "The case knows its customer before anybody could.");
    journey_say("social", j->handle, "complains; nobody knows who that is: %s", j->case_name);
    if ((error = link_handle(j)) ||
        (error = journey_await(j, "The link from handle to case", case_has_all)))
        return error;
    journey_say(
        "care", "agent Kim", "opens the case: Jo, the order and the store's note are there");
    return NULL;
}

const Error *journey_resolve(Journey *j)
{
    Throughline__Feedback__V1__AnswerCaseRequest answer =
        THROUGHLINE__FEEDBACK__V1__ANSWER_CASE_REQUEST__INIT;
    Throughline__Feedback__V1__ResolveCaseRequest resolve =
        THROUGHLINE__FEEDBACK__V1__RESOLVE_CASE_REQUEST__INIT;
    Throughline__Feedback__V1__RecordAnswerRequest record =
        THROUGHLINE__FEEDBACK__V1__RECORD_ANSWER_REQUEST__INIT;
    Throughline__Feedback__V1__SurveyAnswer survey = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__INIT;
    Throughline__Feedback__V1__SurveyAnswer kept = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__INIT;
    Case changed = THROUGHLINE__FEEDBACK__V1__CASE__INIT;
    const Error *error;

    answer.name = j->case_name;
    answer.text =
        "Sorry, Jo. It is with your neighbour since this morning, as you asked in the store.";
    answer.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &j->care, case_service, "AnswerCase", &answer, &changed)))
        return error;
    resolve.name = j->case_name;
    resolve.resolution = "Parcel found with the neighbour.";
    resolve.request_id = journey_request_id(j);
    throughline__feedback__v1__case__init(&changed);
    if ((error = shop_call(j->shop, &j->care, case_service, "ResolveCase", &resolve, &changed)))
        return error;
    journey_say(
        "care", "agent Kim", "answers without asking anything twice, and resolves the case");
    survey.customer = j->customer;
    survey.kind = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__NPS;
    survey.value_case = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__VALUE_SCORE;
    survey.score = 9;
    survey.comment = "Sorted in a minute.";
    survey.subject = j->case_name;
    record.answer = &survey;
    record.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &j->app, case_service, "RecordAnswer", &record, &kept)))
        return error;
    journey_say("app", "Jo", "answers the survey: %d of 10", kept.score);
    return NULL;
}

static const Error *create_template(Journey *j, char *name)
{
    Throughline__Notification__V1__CreateTemplateRequest request =
        THROUGHLINE__NOTIFICATION__V1__CREATE_TEMPLATE_REQUEST__INIT;
    Throughline__Notification__V1__Template text = THROUGHLINE__NOTIFICATION__V1__TEMPLATE__INIT;
    Throughline__Notification__V1__Template made = THROUGHLINE__NOTIFICATION__V1__TEMPLATE__INIT;

    text.name = name;
    text.subject = "Thank you, {{name}}";
    text.body = "{{name}}, thank you for your {{score}} of 10 and for your order of {{total}}.";
    request.template_ = &text;
    request.request_id = journey_request_id(j);
    return shop_call(
        j->shop, &j->merchandising, message_service, "CreateTemplate", &request, &made);
}

static const Error *open_inbox(Journey *j)
{
    Throughline__Notification__V1__WatchInboxRequest request =
        THROUGHLINE__NOTIFICATION__V1__WATCH_INBOX_REQUEST__INIT;
    RpcOutgoing outgoing = shop_outgoing(j->shop, &j->app, 20000);
    const Error *error;

    request.customer = j->customer;
    if ((error = rpc_client_open_stream(shop_client(j->shop, message_service->package), &outgoing,
             message_service, "WatchInbox", &j->inbox)) ||
        (error = rpc_client_send(j->inbox, &request)))
        return error;
    return rpc_client_finish_sending(j->inbox);
}

static const Error *send_thanks(Journey *j, char *template_name, const char *channel,
    Throughline__Notification__V1__Message *sent)
{
    Throughline__Notification__V1__SendMessageRequest request =
        THROUGHLINE__NOTIFICATION__V1__SEND_MESSAGE_REQUEST__INIT;
    Throughline__Notification__V1__SendMessageRequest__VariablesEntry entries[] = {
        THROUGHLINE__NOTIFICATION__V1__SEND_MESSAGE_REQUEST__VARIABLES_ENTRY__INIT,
        THROUGHLINE__NOTIFICATION__V1__SEND_MESSAGE_REQUEST__VARIABLES_ENTRY__INIT,
        THROUGHLINE__NOTIFICATION__V1__SEND_MESSAGE_REQUEST__VARIABLES_ENTRY__INIT
    };
    Throughline__Notification__V1__SendMessageRequest__VariablesEntry *list[] = { &entries[0],
        &entries[1], &entries[2] };
    char *channels[] = { arena_text(j->arena, channel) };

    entries[0].key = "name";
    entries[0].value = "Jo";
    entries[1].key = "score";
    entries[1].value = "9";
    entries[2].key = "total";
    entries[2].value = arena_text(j->arena, journey_money(j, j->invoice->total));
    request.customer = j->customer;
    request.template_ = template_name;
    request.variables = list;
    request.n_variables = COUNT(list);
    request.purpose = "service";
    request.channels = channels;
    request.n_channels = COUNT(channels);
    request.deduplication_key = arena_printf(j->arena, "thanks-%s-%s", channel, j->id);
    request.request_id = journey_request_id(j);
    return shop_call(j->shop, &j->care, message_service, "SendMessage", &request, sent);
}

const Error *journey_thank(Journey *j)
{
    Throughline__Notification__V1__Message kept_back = THROUGHLINE__NOTIFICATION__V1__MESSAGE__INIT;
    Throughline__Notification__V1__Message sent = THROUGHLINE__NOTIFICATION__V1__MESSAGE__INIT;
    char *template_name = arena_printf(j->arena, "templates/thanks-%s", j->id);
    void *received = NULL;
    const Error *error;

    if ((error = create_template(j, template_name)) || (error = open_inbox(j)) ||
        (error = send_thanks(j, template_name, "webhook", &kept_back)))
        return error;
    if (kept_back.reason != THROUGHLINE__NOTIFICATION__V1__MESSAGE__REASON__NO_CONSENT)
        return journey_broken(j, "A message went out over a channel that Jo did not allow.");
    journey_say("care", "the shop", "may not thank Jo by webhook: no consent, kept back");
    if ((error = send_thanks(j, template_name, "inbox", &sent)) ||
        (error = rpc_client_receive(j->inbox, j->arena, &received)))
        return error;
    if (!received)
        return journey_broken(j, "The inbox ended before the message came.");
    journey_say("app", "Jo", "reads in the inbox: \"%s\"",
        ((Throughline__Notification__V1__WatchInboxResponse *)received)->message->body);
    return NULL;
}

const Error *journey_bring_back(Journey *j)
{
    Throughline__Cart__V1__ReturnLinesRequest request =
        THROUGHLINE__CART__V1__RETURN_LINES_REQUEST__INIT;
    Throughline__Cart__V1__ReturnedLine line = THROUGHLINE__CART__V1__RETURNED_LINE__INIT;
    Throughline__Cart__V1__ReturnedLine *lines[] = { &line };
    Throughline__Cart__V1__Order after = THROUGHLINE__CART__V1__ORDER__INIT;
    Channel clerk = j->store;
    const Error *error;

    clerk.context.actor = "agents/sam";
    clerk.context.on_behalf_of = j->customer;
    line.sku = j->picks[1]->sku;
    line.quantity = 1;
    request.order = j->order->name;
    request.lines = lines;
    request.n_lines = COUNT(lines);
    request.reason = "One was enough.";
    request.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &clerk, order_service, "ReturnLines", &request, &after)))
        return error;
    journey_say("store", "clerk Sam",
        "takes one %s back: %s are credited, and it is for sale again", j->pick_products[1]->title,
        journey_money(j, after.credit_notes[0]->total));
    return NULL;
}

/* A text in a column: cut or filled to so many characters. */
static const char *column(Journey *j, const char *text, int width)
{
    const uint8_t *begin = (const uint8_t *)text;
    size_t left = strlen(text), size = 0, step;

    for (; width > 0 && left && (step = text_utf8_step(begin + size, left)); width--) {
        size += step;
        left -= step;
    }
    return arena_printf(j->arena, "%.*s%*s", (int)size, text, width, "");
}

/* Together with the amounts 79 characters wide: no terminal breaks it. */
static void print_row(
    Journey *j, const char *what, const char *quote, const char *order, const char *invoice)
{
    printf("  %s %13s %13s %13s\n", column(j, what, FIRST_COLUMN), quote, order, invoice);
}

static void print_amounts(Journey *j)
{
    const Throughline__Catalog__V1__Quote *quote = j->quote, *bought = j->order->quote;

    printf("\nThe promise, the order and the bill\n\n");
    print_row(j, "", "quote", "order", "invoice");
    for (size_t i = 0; i < quote->n_lines && i < bought->n_lines && i < j->invoice->n_charges; i++)
        print_row(j,
            arena_printf(j->arena, "%3d × %s", quote->lines[i]->quantity, quote->lines[i]->title),
            journey_money(j, quote->lines[i]->total), journey_money(j, bought->lines[i]->total),
            journey_money(j, j->invoice->charges[i]->amount));
    if (quote->shipping && bought->shipping)
        print_row(j, quote->shipping->method, journey_money(j, quote->shipping->total),
            journey_money(j, bought->shipping->total),
            journey_money(j, j->invoice->charges[quote->n_lines]->amount));
    print_row(j, "total", journey_money(j, quote->total), journey_money(j, bought->total),
        journey_money(j, j->invoice->total));
}

static const Error *get_timeline(
    Journey *j, Throughline__Identity__V1__ListTimelineResponse *response)
{
    Throughline__Identity__V1__ListTimelineRequest request =
        THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_REQUEST__INIT;

    throughline__identity__v1__list_timeline_response__init(response);
    request.customer = j->customer;
    request.page_size = TIMELINE_PAGE;
    return shop_call(j->shop, &j->app, customer_service, "ListTimeline", &request, response);
}

/* The last thing that happened in each service has arrived. */
static const Error *timeline_is_whole(Journey *j, bool *done)
{
    static const char *const last[] = { "OrderPlaced", "CartOrdered", "SurveyAnswered",
        "CaseResolved", "MessageCreated", "IdentifierAttached", "LinesReturned" };
    Throughline__Identity__V1__ListTimelineResponse response;
    const Error *error = get_timeline(j, &response);
    size_t found = 0;

    if (error)
        return error;
    for (size_t k = 0; k < COUNT(last); k++)
        for (size_t i = 0; i < response.n_entries; i++)
            if (text_equal(response.entries[i]->type, last[k])) {
                found++;
                break;
            }
    *done = found == COUNT(last);
    return NULL;
}

const Error *journey_report(Journey *j)
{
    Throughline__Identity__V1__ListTimelineResponse response;
    const Error *error;
    const char *total = journey_money(j, j->quote->total);

    if ((error = journey_await(j, "The whole timeline", timeline_is_whole)) ||
        (error = get_timeline(j, &response)))
        return error;
    print_amounts(j);
    printf("\nOne story, whatever the channel\n\n");
    for (size_t i = response.n_entries; i-- > 0;)
        journey_print(arena_printf(j->arena, "  %-8s %-13s ", response.entries[i]->channel,
                          response.entries[i]->source),
            response.entries[i]->summary);
    if (!text_equal(total, journey_money(j, j->order->quote->total)) ||
        !text_equal(total, journey_money(j, j->invoice->total)))
        return journey_broken(j, "The invoice is not what was quoted.");
    printf("\nQuote, order and invoice agree: %s.\n", total);
    return NULL;
}
