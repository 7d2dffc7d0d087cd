"""Money that does not fit, and promises that are not ours, through catalogue and cart."""
import base64

from load import CURRENCY, quantities, skus
from outages import new_cart, refused

OWNER = "customers/rich"
HUGE_UNITS = 80_000_000_000_000  # with two digits behind the point and ten thousand pieces more than 64 bits
FLIPS = 24


def price(units, nanos=0, currency=CURRENCY):
    return {"currency_code": currency, "units": units, "nanos": nanos}


def product(sku, amount, list_amount=None):
    prices = {"amount": amount} | ({"list_amount": list_amount} if list_amount else {})
    return {"product": {"name": f"products/{sku}", "title": sku, "state": "ACTIVE", "variants": [{"sku": sku, "prices": [prices]}]}}


BAD_PRICES = {
    "negative": product("bad-negative", price(-1)),
    "of mixed signs": product("bad-signs", price(1, -500_000_000)),
    "with too many nanos": product("bad-nanos", price(1, 2_000_000_000)),
    "finer than its currency": product("bad-fine", price(1, 5_000_000)),
    "of yen with a fraction": product("bad-yen", price(1, 500_000_000, "JPY")),
    "beyond 64 bits": product("bad-huge", price(2**63 - 1)),
    "of no currency": product("bad-none", price(1, 0, "")),
    "of a currency that is none": product("bad-currency", price(1, 0, "ZZZ")),
    "compared with another currency": product("bad-mixed", price(1), price(2, 0, "USD")),
}


def bad_money(scene, what):
    report = scene.report
    with scene.shop(what, names=("identity", "catalog", "cart")) as shop:
        catalog = shop.clients["catalog"]
        good = [product("huge", price(HUGE_UNITS)), product("dollars", price(1, 0, "USD"))]
        answer = catalog.upload("ProductService/ImportProducts", [*BAD_PRICES.values(), *good])
        bad_rows = {int(error["row"]) for error in answer.get("errors", [])}
        for row, kind in enumerate(BAD_PRICES, 1):
            report.check(f"{what}: a price {kind} is refused", row in bad_rows, answer)
        report.check(f"{what}: the good rows are kept", int(answer["created"]) == len(good), answer)

        cart = new_cart(shop, OWNER)
        first = skus(shop, CURRENCY)[0]

        def add(sku, quantity):
            return shop.ask("CartService/AddLine", {"cart": cart, "sku": sku, "quantity": quantity}, actor=OWNER)
        add(first, 1)
        for kind, sku, quantity, reason in (("a sum that does not fit", "huge", 10_000, "AMOUNT_TOO_LARGE"),
                                            ("an article without a price in the cart's currency", "dollars", 1, "PRICE_MISSING")):
            error, _ = refused(lambda: add(sku, quantity))  # pylint: disable=W0640
            report.check(f"{what}: {kind} is refused by the cart",
                         error and (error.code, error.reason) == ("FAILED_PRECONDITION", reason), error or "OK")
            error, _ = refused(lambda: shop.ask("PricingService/CreateQuote", {  # pylint: disable=W0640
                "currency": CURRENCY, "lines": [{"sku": sku, "quantity": quantity}]}))  # pylint: disable=W0640
            report.check(f"{what}: {kind} is not quoted",
                         error and (error.code, error.reason) == ("FAILED_PRECONDITION", reason), error or "OK")
        there = shop.ask("CartService/GetCart", {"name": cart}, actor=OWNER)
        report.check(f"{what}: the cart is as it was", quantities(there) == {first: 1}, there)


def tampered(quote, random):
    """The quote with one bit of its payload, signature or key's name changed."""
    for part in ("payload", "signature"):
        content = bytearray(base64.b64decode(quote[part]))
        for _ in range(FLIPS):
            place = random.randrange(len(content))
            bit = 1 << random.randrange(8)
            content[place] ^= bit
            yield f"{part} byte {place}", quote | {part: base64.b64encode(content).decode()}
            content[place] ^= bit
    yield "key", quote | {"key_id": quote["key_id"] + "x"}
    yield "cut payload", quote | {"payload": quote["payload"][:40]}
    yield "no signature", quote | {"signature": ""}


def forged_quotes(scene, what):
    report = scene.report
    with scene.shop(what, names=("identity", "catalog", "cart")) as shop:
        cart = new_cart(shop, OWNER)
        shop.ask("CartService/AddLine", {"cart": cart, "sku": skus(shop, CURRENCY)[0], "quantity": 1}, actor=OWNER)
        quote = shop.ask("CartService/QuoteCart", {"cart": cart}, actor=OWNER)["signed_quote"]

        def check_out(signed_quote):
            return shop.ask("CartService/Checkout", {"cart": cart, "signed_quote": signed_quote}, actor=OWNER)
        taken = []
        for kind, forged in tampered(quote, report.random(what)):
            error, _ = refused(lambda: check_out(forged))  # pylint: disable=W0640
            verified, _ = refused(lambda: shop.ask("PricingService/VerifyQuote", {"signed_quote": forged}))  # pylint: disable=W0640
            taken += [f"{kind}: {answer}" for answer in (error, verified)
                      if not answer or answer.code != "INVALID_ARGUMENT"]
        report.check(f"{what}: none is taken", not taken, taken[:3])
        orders = list(shop.pages("OrderService/ListOrders", {"customer": OWNER}, "orders", actor=OWNER))
        report.check(f"{what}: none became an order", not orders, orders[:1])
        report.check(f"{what}: the true one does", check_out(quote)["customer"] == OWNER)


CASES = {"bad money": bad_money, "forged quotes": forged_quotes}
