#include "services/identity/domain/summary.h"

#include "shared/base/money.h"
#include "shared/base/text.h"

#include "throughline/cart/v1/events.pb-c.h"
#include "throughline/feedback/v1/events.pb-c.h"
#include "throughline/identity/v1/events.pb-c.h"
#include "throughline/notification/v1/events.pb-c.h"

#include <ctype.h>
#include <string.h>

typedef Throughline__Cart__V1__Cart Cart;
typedef Throughline__Cart__V1__LineAdded LineAdded;
typedef Throughline__Cart__V1__LineChanged LineChanged;
typedef Throughline__Cart__V1__LineRemoved LineRemoved;
typedef Throughline__Cart__V1__PromotionAdded PromotionAdded;
typedef Throughline__Cart__V1__PromotionRemoved PromotionRemoved;
typedef Throughline__Cart__V1__HandoffClaimed HandoffClaimed;
typedef Throughline__Cart__V1__OrderPlaced OrderPlaced;
typedef Throughline__Cart__V1__CartMerged CartMerged;
typedef Throughline__Feedback__V1__Case Case;
typedef Throughline__Feedback__V1__CaseMessage CaseMessage;
typedef Throughline__Identity__V1__Identifier Identifier;
typedef Throughline__Identity__V1__Consent Consent;

/* One line of at most so many characters, with an ellipsis where some are missing; what would steer a terminal is a space. */
static const char *shortened(const char *given, Arena *arena)
{
    char *text = arena_text(arena, given);
    size_t size = 0;

    for (char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            *at = ' ';
    if (text_length(text) <= SUMMARY_MAX_TITLE)
        return text;
    for (int i = 0; i < SUMMARY_MAX_TITLE - 1; i++)
        size += text_utf8_step((const uint8_t *)text + size, strlen(text + size));
    return arena_printf(arena, "%.*s…", (int)size, text);
}

static const char *title_of(const Cart *cart, const char *sku, Arena *arena)
{
    for (size_t i = 0; cart && i < cart->n_lines; i++)
        if (text_equal(cart->lines[i]->sku, sku) && !text_is_empty(cart->lines[i]->title))
            return shortened(cart->lines[i]->title, arena);
    return shortened(sku, arena);
}

static const char *line_added(const void *payload, Arena *arena)
{
    const LineAdded *event = payload;

    return arena_printf(arena, "Added %d × %s to the cart", event->quantity,
        title_of(event->cart, event->sku, arena));
}

static const char *line_changed(const void *payload, Arena *arena)
{
    const LineChanged *event = payload;

    return arena_printf(arena, "Changed %s from %d to %d", title_of(event->cart, event->sku, arena),
        event->old_quantity, event->new_quantity);
}

static const char *line_removed(const void *payload, Arena *arena)
{
    const LineRemoved *event = payload;

    return arena_printf(arena, "Took %s out of the cart", title_of(event->cart, event->sku, arena));
}

static const char *promotion_added(const void *payload, Arena *arena)
{
    const PromotionAdded *event = payload;

    return arena_printf(arena, "Added the code %s", shortened(event->code, arena));
}

static const char *promotion_removed(const void *payload, Arena *arena)
{
    const PromotionRemoved *event = payload;

    return arena_printf(arena, "Took the code %s away", shortened(event->code, arena));
}

static const char *cart_merged(const void *payload, Arena *arena)
{
    const CartMerged *event = payload;

    return event->cart ? arena_printf(arena, "Put another cart's lines into this one: %zu in all",
                             event->cart->n_lines)
                       : "Put another cart's lines into this one";
}

static const char *handoff_claimed(const void *payload, Arena *arena)
{
    const HandoffClaimed *event = payload;
    const char *channel = event->cart ? event->cart->last_channel : "";

    return text_is_empty(channel) ? "Took the cart over to another channel"
                                  : arena_printf(arena, "Took the cart over to %s", channel);
}

/* "Placed an order" becomes "Placed an order for 12.00 EUR", where the amount is known. */
static const char *with_amount(const char *words, const Google__Type__Money *total, Arena *arena)
{
    char amount[MONEY_TEXT_SIZE];
    int64_t minor;

    if (!total || !money_from_units(total->currency_code, total->units, total->nanos, &minor))
        return words;
    return arena_printf(
        arena, "%s for %s", words, money_format(total->currency_code, minor, amount));
}

static const char *order_placed(const void *payload, Arena *arena)
{
    const OrderPlaced *event = payload;
    const Throughline__Cart__V1__Invoice *invoice = event->order ? event->order->invoice : NULL;

    return with_amount("Placed an order", invoice ? invoice->total : NULL, arena);
}

static const char *order_cancelled(const void *payload, Arena *arena)
{
    const Throughline__Cart__V1__OrderCancelled *event = payload;

    return with_amount("Cancelled an order: a credit note",
        event->credit_note ? event->credit_note->total : NULL, arena);
}

static const char *lines_returned(const void *payload, Arena *arena)
{
    const Throughline__Cart__V1__LinesReturned *event = payload;

    return with_amount("Brought something back: a credit note",
        event->credit_note ? event->credit_note->total : NULL, arena);
}

static const char *case_opened(const void *payload, Arena *arena)
{
    const Throughline__Feedback__V1__CaseOpened *event = payload;

    return event->case_record ? arena_printf(arena, "Opened a case: %s",
                                    shortened(event->case_record->subject, arena))
                              : "Opened a case";
}

static const char *case_message_added(const void *payload, Arena *arena)
{
    const Throughline__Feedback__V1__CaseMessageAdded *event = payload;
    const Case *record = event->case_record;
    const CaseMessage *last =
        record && record->n_messages ? record->messages[record->n_messages - 1] : NULL;

    if (!last)
        return "Wrote in a case";
    return arena_printf(arena, "%s: %s",
        last->author == THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__AGENT
            ? "Answered in a case"
            : "Wrote in a case",
        shortened(last->text, arena));
}

static const char *case_resolved(const void *payload, Arena *arena)
{
    const Throughline__Feedback__V1__CaseResolved *event = payload;

    return event->case_record ? arena_printf(arena, "Resolved a case: %s",
                                    shortened(event->case_record->resolution, arena))
                              : "Resolved a case";
}

static const char *mention_recorded(const void *payload, Arena *arena)
{
    const Throughline__Feedback__V1__MentionRecorded *event = payload;

    return event->mention ? arena_printf(arena, "Said: %s", shortened(event->mention->text, arena))
                          : "Said something";
}

static const char *note_recorded(const void *payload, Arena *arena)
{
    const Throughline__Feedback__V1__NoteRecorded *event = payload;

    return event->note ? arena_printf(arena, "Note: %s", shortened(event->note->text, arena))
                       : "Wrote a note";
}

static const char *survey_answered(const void *payload, Arena *arena)
{
    const Throughline__Feedback__V1__SurveyAnswered *event = payload;
    const ProtobufCEnumValue *kind =
        event->answer
            ? protobuf_c_enum_descriptor_get_value(
                  &throughline__feedback__v1__survey_answer__kind__descriptor, event->answer->kind)
            : NULL;

    return kind ? arena_printf(arena, "Answered a survey: %s %d", kind->name, event->answer->score)
                : "Answered a survey";
}

static const char *message_created(const void *payload, Arena *arena)
{
    const Throughline__Notification__V1__MessageCreated *event = payload;
    const Throughline__Notification__V1__Message *message = event->message;

    if (!message)
        return "Wrote a message";
    if (message->state == THROUGHLINE__NOTIFICATION__V1__MESSAGE__STATE__SUPPRESSED)
        return arena_printf(arena, "Kept a message back: %s", shortened(message->subject, arena));
    return arena_printf(
        arena, "Wrote over %s: %s", message->channel, shortened(message->subject, arena));
}

static const char *message_state_changed(const void *payload, Arena *arena)
{
    const Throughline__Notification__V1__MessageStateChanged *event = payload;
    const ProtobufCEnumValue *state =
        event->message
            ? protobuf_c_enum_descriptor_get_value(
                  &throughline__notification__v1__message__state__descriptor, event->message->state)
            : NULL;

    return state ? arena_printf(arena, "Message %s: %s", text_lower(arena, state->name),
                       shortened(event->message->subject, arena))
                 : "Message changed";
}

/* "social_handle:chirp:@jo" reads "social handle chirp:@jo". */
static const char *identifier_text(const Identifier *identifier, Arena *arena)
{
    const char *colon = identifier ? strchr(identifier->key, ':') : NULL;
    char *text;

    if (!colon)
        return "an identifier";
    text = arena_text(arena, identifier->key);
    for (char *at = text; at < text + (colon - identifier->key); at++)
        if (*at == '_')
            *at = ' ';
    text[colon - identifier->key] = ' ';
    return shortened(text, arena);
}

static const char *identifier_attached(const void *payload, Arena *arena)
{
    const Throughline__Identity__V1__IdentifierAttached *event = payload;

    return arena_printf(arena, "Is now known by %s", identifier_text(event->identifier, arena));
}

static const char *identifier_detached(const void *payload, Arena *arena)
{
    const Throughline__Identity__V1__IdentifierDetached *event = payload;

    return arena_printf(
        arena, "Is no longer known by %s", identifier_text(event->identifier, arena));
}

static const char *customers_merged(const void *payload, Arena *arena)
{
    const Throughline__Identity__V1__CustomersMerged *event = payload;

    return arena_printf(
        arena, "Became one with another record: %s", shortened(event->reason, arena));
}

static const char *consent_changed(const void *payload, Arena *arena)
{
    const Throughline__Identity__V1__ConsentChanged *event = payload;
    const Consent *consent = event->consent;

    if (!consent)
        return "Changed a consent";
    return arena_printf(arena, "Said %s to %s over %s",
        consent->state == THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED ? "yes" : "no",
        consent->purpose, consent->channel);
}

/* Either words that fit every such event, or a function that looks inside. */
static const struct {
    const ProtobufCMessageDescriptor *type;
    const char *words;
    const char *(*tell)(const void *payload, Arena *arena);
} rows[] = {
    { &throughline__cart__v1__cart_opened__descriptor, "Opened a cart", NULL },
    { &throughline__cart__v1__line_added__descriptor, NULL, line_added },
    { &throughline__cart__v1__line_changed__descriptor, NULL, line_changed },
    { &throughline__cart__v1__line_removed__descriptor, NULL, line_removed },
    { &throughline__cart__v1__promotion_added__descriptor, NULL, promotion_added },
    { &throughline__cart__v1__promotion_removed__descriptor, NULL, promotion_removed },
    { &throughline__cart__v1__customer_attached__descriptor, "Signed in: the cart is theirs",
        NULL },
    { &throughline__cart__v1__cart_merged__descriptor, NULL, cart_merged },
    { &throughline__cart__v1__cart_closed_by_merge__descriptor,
        "Left this cart: its lines are in another", NULL },
    { &throughline__cart__v1__handoff_claimed__descriptor, NULL, handoff_claimed },
    { &throughline__cart__v1__agent_joined__descriptor, "An agent joined the cart", NULL },
    { &throughline__cart__v1__agent_left__descriptor, "An agent left the cart", NULL },
    { &throughline__cart__v1__checkout_started__descriptor, "Began to check out", NULL },
    { &throughline__cart__v1__cart_ordered__descriptor, "The cart became an order", NULL },
    { &throughline__cart__v1__fulfilment_set__descriptor, "Said where the cart goes", NULL },
    { &throughline__cart__v1__terms_set__descriptor, "The cart's terms were set", NULL },
    { &throughline__cart__v1__order_placed__descriptor, NULL, order_placed },
    { &throughline__cart__v1__order_cancelled__descriptor, NULL, order_cancelled },
    { &throughline__cart__v1__lines_returned__descriptor, NULL, lines_returned },
    { &throughline__feedback__v1__case_opened__descriptor, NULL, case_opened },
    { &throughline__feedback__v1__case_message_added__descriptor, NULL, case_message_added },
    { &throughline__feedback__v1__case_customer_linked__descriptor,
        "A case turned out to be theirs", NULL },
    { &throughline__feedback__v1__case_resolved__descriptor, NULL, case_resolved },
    { &throughline__feedback__v1__mention_recorded__descriptor, NULL, mention_recorded },
    { &throughline__feedback__v1__mention_customer_linked__descriptor,
        "A mention turned out to be theirs", NULL },
    { &throughline__feedback__v1__note_recorded__descriptor, NULL, note_recorded },
    { &throughline__feedback__v1__survey_answered__descriptor, NULL, survey_answered },
    { &throughline__notification__v1__message_created__descriptor, NULL, message_created },
    { &throughline__notification__v1__message_state_changed__descriptor, NULL,
        message_state_changed },
    { &throughline__identity__v1__customer_created__descriptor, "Became a customer", NULL },
    { &throughline__identity__v1__customer_updated__descriptor, "Changed the profile", NULL },
    { &throughline__identity__v1__identifier_attached__descriptor, NULL, identifier_attached },
    { &throughline__identity__v1__identifier_detached__descriptor, NULL, identifier_detached },
    { &throughline__identity__v1__customers_merged__descriptor, NULL, customers_merged },
    { &throughline__identity__v1__consent_changed__descriptor, NULL, consent_changed },
};

/* "OrderShipped" → "Order shipped". */
static const char *words_of(const char *type, Arena *arena)
{
    char *words = arena_alloc(arena, 2 * strlen(type) + 1);
    size_t n = 0;

    for (const char *at = type; *at; at++) {
        if (at > type && isupper((unsigned char)*at))
            words[n++] = ' ';
        words[n++] = at > type ? (char)tolower((unsigned char)*at) : *at;
    }
    return n ? words : "Something happened";
}

const char *summary_of(const ProtobufCMessage *payload, const char *type, Arena *arena)
{
    for (size_t i = 0; payload && i < COUNT(rows); i++)
        if (rows[i].type == payload->descriptor)
            return rows[i].words ? rows[i].words : rows[i].tell(payload, arena);
    return words_of(type, arena);
}

const char *summary_adopted(const ProtobufCMessage *payload, const char *aggregate)
{
    const ProtobufCMessageDescriptor *type = payload ? payload->descriptor : NULL;

    if (type == &throughline__cart__v1__customer_attached__descriptor ||
        type == &throughline__cart__v1__cart_closed_by_merge__descriptor ||
        type == &throughline__feedback__v1__case_customer_linked__descriptor ||
        type == &throughline__feedback__v1__mention_customer_linked__descriptor)
        return aggregate;
    if (type == &throughline__cart__v1__cart_merged__descriptor) {
        const char *source = ((const CartMerged *)payload)->source;

        return text_is_empty(source) ? NULL : source;
    }
    return NULL;
}
