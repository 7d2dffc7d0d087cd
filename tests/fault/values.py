"""Good requests with one value that is not: every field of every changing request takes its extremes, over real services with real
state behind them. Each is answered, none is a fault of the server, and money that does not fit is refused."""
import copy

from changes import Changes

from load import CURRENCY, skus
from outages import refused

FAULTS = {"UNKNOWN", "INTERNAL", "DATA_LOSS", "UNAVAILABLE", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", "CANCELLED"}
TEXTS = ["", " ", "x" * 100_000, "../../etc/passwd", "customers/", "customers/*", "\u202e\U0001f6d2", "%s%n", "a\nb", "{{name}}"]
NUMBERS = [-1, 0, -2**31, 2**31 - 1]


def variants(request, path=()):
    """(where, request) for every value of the request replaced by each bad one."""
    for key, value in (request.items() if isinstance(request, dict) else enumerate(request)):
        here = (*path, str(key))
        if isinstance(value, (dict, list)):
            for where, inner in variants(value, here):
                other = copy.copy(request)
                other[key] = inner
                yield where, other
            continue
        for bad in TEXTS if isinstance(value, str) else NUMBERS:
            other = copy.copy(request)
            other[key] = bad
            yield "/".join(here), other


def bad_values(scene, what):
    report = scene.report
    with scene.shop(what) as shop:
        changes = Changes(shop, skus(shop, CURRENCY)[0], f"v{report.seed}")
        for method in Changes.MAKERS:
            change, faults, sent = changes.make(method), [], 0
            for where, request in variants(change.request):
                try:
                    content = scene.api.request(method, request)
                except Exception:  # pylint: disable=broad-except
                    continue  # no client can send it: it is not of the field's type
                sent += 1
                error, _ = refused(lambda: shop.clients[scene.api.package(method)].bytes(  # pylint: disable=W0640
                    method, content, change.actor))  # pylint: disable=W0640
                if error and (error.code in FAULTS or error.reason == error.code):
                    faults.append(f"{where}: {error}")
            report.check(f"{what}: {method} answers {sent} bad requests", (sent or not change.request) and not faults,
                         faults[:3])
        report.check(f"{what}: all services are still there", all(p.is_running() for p in shop.processes.values()))


def many_bad_fields(scene, what):
    """However much is wrong, and however long it is, the caller hears what: no client takes more than 8 KiB of trailers."""
    report = scene.report
    with scene.shop(what, names=("catalog",)) as shop:
        for kind, sku in (("short", "?"), ("long", "?" * 60), ("huge", "?" * 2000), ("of other alphabets", "\u6f22" * 500)):
            error, _ = refused(lambda: shop.ask("PricingService/CreateQuote", {  # pylint: disable=W0640
                "currency": CURRENCY, "lines": [{"sku": f"{sku}{i}", "quantity": -i} for i in range(500)],  # pylint: disable=W0640
                "codes": [sku] * 10}))  # pylint: disable=W0640
            report.check(f"{what}: {kind} ones are INVALID_ARGUMENT", error and error.code == "INVALID_ARGUMENT", error or "OK")
            report.check(f"{what}: {kind} ones are named", error and len(error.fields) >= 10, error or "OK")


CASES = {"bad values": bad_values, "many bad fields": many_bad_fields}
