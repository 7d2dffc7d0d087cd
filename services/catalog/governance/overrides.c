#include "services/catalog/governance/overrides.h"

#include "services/catalog/domain/override.h"
#include "services/catalog/governance/governance.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__PriceOverride PriceOverride;

static const PriceOverride *find_override(const CreateQuoteRequest *req, const char *sku)
{
    for (size_t i = 0; i < req->n_overrides; i++)
        if (text_equal(req->overrides[i]->sku, sku))
            return req->overrides[i];
    return NULL;
}

static const OverrideLimit *find_limit(RpcCall *call, const RuleBook *book, const char *name)
{
    const Rule *rule = book_rule_unpack(rule_book_find(book, name), call->arena);

    return rule ? rule->override_limit : NULL;
}

static const Error *check_line(
    RpcCall *call, const RuleBook *book, const PriceOverride *wanted, PricedLine *line)
{
    OverrideWish wish = { .sku = line->sku,
        .channel = call->context.channel,
        .currency = line->unit_price->currency_code };

    money_minor(line->override->rule_price, &wish.rule_minor);
    money_minor(line->unit_price, &wish.unit_minor);
    line->override->limit = wanted->limit;
    return override_check(find_limit(call, book, wanted->limit), &wish, call->arena);
}

static AuditEntry *entry_of(RpcCall *call, const Quote *quote, const PricedLine *line)
{
    AuditEntry *entry =
        message_new(call->arena, &throughline__catalog__v1__audit_entry__descriptor);
    char before[MONEY_TEXT_SIZE], after[MONEY_TEXT_SIZE];
    int64_t rule_minor = 0, unit_minor = 0;

    money_minor(line->override->rule_price, &rule_minor);
    money_minor(line->unit_price, &unit_minor);
    entry->name = id_name(call->arena, "auditEntries");
    entry->action = THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__PRICE_OVERRIDDEN;
    entry->deed = deed_of(call, line->override->reason);
    entry->subject = quote->name;
    entry->title = arena_printf(call->arena, "%s: %s instead of %s, by %s", line->sku,
        money_format(quote->currency, unit_minor, after),
        money_format(quote->currency, rule_minor, before), line->override->limit);
    return entry;
}

const Error *overrides_approve(RpcCall *call, const CreateQuoteRequest *req, Quote *quote)
{
    StoreWrite *writes = arena_array(call->arena, quote->n_lines, sizeof(*writes));
    RuleBook *book = rule_shelf_current(catalog_of(call)->shelf);
    size_t n_writes = 0;
    const Error *error = NULL;

    for (size_t i = 0; i < quote->n_lines && !error; i++) {
        PricedLine *line = quote->lines[i];
        const PriceOverride *wanted = find_override(req, line->sku);

        if (!line->override || !wanted)
            continue;
        error = check_line(call, book, wanted, line);
        writes[n_writes++] = (StoreWrite){ .kind = STORE_INSERT,
            .collection = &audit_entries,
            .message = entry_of(call, quote, line) };
    }
    rule_book_release(book);
    return error ? error : store_write(call->store, writes, n_writes);
}
