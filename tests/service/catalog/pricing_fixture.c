#include "tests/service/catalog/pricing_fixture.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

void start_with_tents(void)
{
    Product *tent;

    start_catalog();
    tent = a_product(arena);
    import_all(&tent, 1);
}

QuoteLine *a_line(Arena *memory, const char *sku, int32_t quantity)
{
    QuoteLine *line = message_new(memory, &throughline__catalog__v1__quote_line__descriptor);

    line->sku = text(memory, sku);
    line->quantity = quantity;
    return line;
}

CreateQuoteRequest *a_request(Arena *memory, int32_t quantity)
{
    CreateQuoteRequest *request =
        message_new(memory, &throughline__catalog__v1__create_quote_request__descriptor);

    request->currency = text(memory, "EUR");
    request->n_lines = 1;
    request->lines = arena_array(memory, 1, sizeof(*request->lines));
    request->lines[0] = a_line(memory, "tent-green", quantity);
    return request;
}

void add_code(CreateQuoteRequest *request, const char *code)
{
    request->codes =
        arena_grow(arena, request->codes, request->n_codes, request->n_codes + 1, sizeof(char *));
    request->codes[request->n_codes++] = text(arena, code);
}

CreateQuoteResponse answer;

const Error *quote(const CreateQuoteRequest *request)
{
    throughline__catalog__v1__create_quote_response__init(&answer);
    return fixture_call(fixture, "PricingService/CreateQuote", request, &answer);
}

const Error *verify(SignedQuote *signed_quote, Quote *inside)
{
    VerifyQuoteRequest request = THROUGHLINE__CATALOG__V1__VERIFY_QUOTE_REQUEST__INIT;

    throughline__catalog__v1__quote__init(inside);
    request.signed_quote = signed_quote;
    return fixture_call(fixture, "PricingService/VerifyQuote", &request, inside);
}

const Error *create(Promotion *promotion, const char *request_id, Promotion *created)
{
    CreatePromotionRequest request = THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;

    throughline__catalog__v1__promotion__init(created);
    request.promotion = promotion;
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "PricingService/CreatePromotion", &request, created);
}

const Error *end_it(const char *name, const char *etag, const char *request_id, Promotion *ended)
{
    EndPromotionRequest request = THROUGHLINE__CATALOG__V1__END_PROMOTION_REQUEST__INIT;

    throughline__catalog__v1__promotion__init(ended);
    request.name = text(arena, name);
    request.etag = text(arena, etag);
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "PricingService/EndPromotion", &request, ended);
}

const Error *get_one(const char *name, Promotion *promotion)
{
    GetPromotionRequest request = THROUGHLINE__CATALOG__V1__GET_PROMOTION_REQUEST__INIT;

    throughline__catalog__v1__promotion__init(promotion);
    request.name = text(arena, name);
    return fixture_call(fixture, "PricingService/GetPromotion", &request, promotion);
}

int64_t minor(const Google__Type__Money *money)
{
    int64_t value = INT64_MIN;

    CU_ASSERT(money_minor(money, &value));
    return value;
}
