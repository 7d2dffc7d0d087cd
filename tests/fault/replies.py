"""Every method that changes something, when its reply is lost on the way: sent again it answers the same and is done once. And what
it says when a request id comes back with other content, or with the version of somebody else's."""
import copy
import secrets
from collections import Counter

from changes import Changes, changing_methods
from client import Client
from door import LossyDoor
from evidence import read_log, settle
from load import CURRENCY, skus
from outages import refused

STALE = "4711"
# Where the version is that of the resource in the request.
RESOURCES = {"CustomerService/UpdateCustomer": "customer", "AccountService/UpdateAccount": "account"}
# What these do is told by no event.
SILENT = {"MessageService/CreateTemplate", "MessageService/CreateEndpoint", "PricingService/RotateQuoteKey"}


class Lossy:
    """The way to each service through a door that loses replies."""

    def __init__(self, shop):
        self.doors = {name: LossyDoor("127.0.0.1", process.port) for name, process in shop.processes.items()}
        self.api, self.token = shop.api, shop.token

    def send(self, change, request, trace):
        """What the caller sees, and the reply that was on its way."""
        door = self.doors[self.api.package(change.method)]
        client = Client(self.api, door.port, self.token)
        door.lose_next()
        error, _ = refused(lambda: client.bytes(change.method, request, change.actor, trace=trace))
        client.close()
        return error, door.lost

    def close(self):
        for door in self.doors.values():
            door.slam()


def lose_and_retry(report, what, shop, lossy, change):
    """Returns the trace of all tries."""
    trace = secrets.token_hex(16)
    request = shop.api.request(change.method, change.request | {"request_id": f"lost-{trace}"})
    client = shop.clients[shop.api.package(change.method)]
    error, lost = lossy.send(change, request, trace)
    report.check(f"{what}: {change.method}: the caller saw no reply", error and error.code == "UNAVAILABLE", error or "OK")
    report.check(f"{what}: {change.method}: there was one", lost is not None, error)
    for attempt in ("second", "third"):
        answer = client.bytes(change.method, request, change.actor, trace=trace)
        report.check(f"{what}: {change.method}: the {attempt} answer is the one that was lost, byte for byte", answer == lost,
                     f"{shop.api.reply(change.method, answer)} {shop.api.reply(change.method, lost or b'')}")
    if change.request:
        other = other_content(change.request) | {"request_id": f"lost-{trace}"}
        error, _ = refused(lambda: shop.ask(change.method, other, actor=change.actor))
        report.check(f"{what}: {change.method}: the id with other content is ALREADY_EXISTS",
                     error and (error.code, error.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED"), error or "OK")
    return trace


def other_content(request):
    """The same with one text changed."""
    other = copy.deepcopy(request)
    at = other
    while True:
        key = next(key for key, value in at.items() if isinstance(value, (str, dict)))
        if isinstance(at[key], str):
            at[key] += "2"
            return other
        at = at[key]


def effects_of(logs, trace):
    """What a call caused, wherever it was told."""
    return Counter((source, event["payload"]["@type"]) for source, events in logs.items() for event in events
                   if event.get("traceparent", "")[3:35] == trace)


def lost_reply(scene, what):
    report = scene.report
    with scene.shop(what) as shop:
        changes = Changes(shop, skus(shop, CURRENCY)[0], f"r{report.seed}")
        methods = changing_methods(scene.api)
        report.check(f"{what}: every changing method is tried", methods == sorted(Changes.MAKERS),
                     set(methods) ^ set(Changes.MAKERS))
        lossy = Lossy(shop)
        traces = []
        for _ in range(report.size(1, 20)):
            for method in Changes.MAKERS:
                plain = secrets.token_hex(16)
                change = changes.make(method)
                shop.ask(method, change.request | {"request_id": plain}, actor=change.actor, trace=plain)
                traces.append((method, plain, lose_and_retry(report, what, shop, lossy, changes.make(method))))
        lossy.close()
        settle(shop)
        logs = {name: read_log(shop, name) for name in shop.processes}
        for method, plain, lost in traces:
            once, again = effects_of(logs, plain), effects_of(logs, lost)
            report.check(f"{what}: {method}: its effects are those of one call", once == again and (once or method in SILENT), f"{again} instead of {once}")


def stale_etags(scene, what):
    report = scene.report
    with scene.shop(what) as shop:
        changes = Changes(shop, skus(shop, CURRENCY)[0], f"e{report.seed}")
        for method in Changes.MAKERS:
            change = changes.make(method)
            fields = scene.api.methods[method].input_type.fields_by_name
            request = copy.deepcopy(change.request)
            if "etag" in fields:
                request["etag"] = STALE
            elif method in RESOURCES:
                request[RESOURCES[method]]["etag"] = STALE
            else:
                continue
            error, _ = refused(lambda: shop.ask(method, request, actor=change.actor))  # pylint: disable=W0640
            report.check(f"{what}: {method} is ABORTED",
                         error and (error.code, error.reason) == ("ABORTED", "ETAG_STALE"), error or "OK")
            shop.ask(method, change.request, actor=change.actor)


CASES = {"lost reply": lost_reply, "stale etags": stale_etags}
