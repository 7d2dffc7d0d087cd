"""A catalogue whose memory runs out and whose clock jumps when we say so (provoked.c), and what must come of it."""
import os
import signal
import struct
import subprocess

from changes import Changes
from client import Refused
from evidence import gaps, read_log, settle
from load import CURRENCY, skus
from outages import refused
from replies import SILENT, effects_of
from report import Skipped, wait_for

HOUR = 3600
END_SECONDS = 20
ONCE, FOR_EVER = 0, 1


class Page:
    """What provoked.c reads: fails_at, is_lasting, seen, clock_offset_us."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(32))
        self.file = os.open(path, os.O_RDWR)

    def _put(self, place, value):
        os.pwrite(self.file, struct.pack("q", value), 8 * place)

    def fail_at(self, nth, is_lasting=ONCE):
        self._put(1, is_lasting)
        self._put(2, 0)
        self._put(0, nth)

    def relent(self):
        self._put(0, 0)

    def count(self, do):
        """How many allocations that takes, with what goes on beside it."""
        self._put(2, 0)
        do()
        return struct.unpack("q", os.pread(self.file, 8, 16))[0]

    def set_clock(self, seconds):
        self._put(3, int(seconds * 1_000_000))


def open_shop(scene, what):
    """All services, the catalogue one that can be provoked, and the page to do so."""
    binary = scene.binaries / "provoked/catalog"
    if not binary.exists():
        raise Skipped("the catalogue that can be provoked is not built")
    shop = scene.shop(what)
    page = Page(scene.scratch / f"{what}.page".replace(" ", "-"))
    process = shop.processes["catalog"]
    process.command[0] = str(binary)
    process.environment = {"THROUGHLINE_PROVOKED": str(page.path)}
    return shop, page


def exit_code(process, answer):
    """Of a process that has ended, None of one that goes on. Who got no answer of the service's own waits for the end."""
    if isinstance(answer, Refused) and answer.reason == answer.code:
        try:
            return process.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return None
    return process.process.poll()


class Scarcity:
    """One service, and what it did when memory ran out."""

    def __init__(self, report, what, shop, page):
        self.report, self.what, self.shop, self.page = report, what, shop, page
        self.ended = self.answered = self.refused = 0

    def _bury(self, about, process, code):
        """A new process for one that has ended."""
        if code is None:
            return
        self.ended += 1
        self.report.check(f"{about}: the process ends itself", code == -signal.SIGABRT, f"{code} {process.last_words()}")
        self.shop.start("catalog")

    def try_one(self, change, request, trace, nth, mode):
        """The change while an allocation fails, then once more as it is."""
        about = f"{self.what}: {change.method}, allocation {nth}{' and all after it' if mode else ''}"
        process, client = self.shop.processes["catalog"], self.shop.clients["catalog"]
        answers = []
        self.page.fail_at(nth, mode)
        error, _ = refused(lambda: answers.append(client.bytes(change.method, request, change.actor, trace=trace, timeout=30)))
        code = exit_code(process, error)
        self.page.relent()
        self._bury(about, process, code)
        if code is None and error:
            self.refused += 1
            self.report.check(f"{about}: the answer is typed", error.code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED") and
                              error.reason != error.code, error)
        self.answered += not error

        def again():
            failure, _ = refused(lambda: answers.append(client.bytes(change.method, request, change.actor, trace=trace)))
            if failure and not failure.is_passing:
                raise failure
            if failure:  # what failed may have been a thread's that works beside the calls
                self._bury(about, process, process.process.poll())
            return not failure
        wait_for(f"{about}: an answer afterwards", again, 30)
        self.report.check(f"{about}: one answer", len(set(answers)) == 1, len(set(answers)))


def scarce_memory(scene, what):
    report, random = scene.report, scene.report.random(what)
    shop, page = open_shop(scene, what)
    with shop:
        changes = Changes(shop, skus(shop, CURRENCY)[0], f"m{report.seed}")
        methods = [method for method in Changes.MAKERS if scene.api.package(method) == "catalog"]
        scarcity, traces = Scarcity(report, what, shop, page), []
        for method in random.sample(methods, 6) if report.quick else methods:
            plain = f"{random.getrandbits(128):032x}"
            change = changes.make(method)
            steps = page.count(lambda: shop.ask(  # pylint: disable=cell-var-from-loop
                method, change.request | {"request_id": plain}, actor=change.actor, trace=plain))  # pylint: disable=W0640
            for i in range(report.size(2, 12)):
                trace = f"{random.getrandbits(128):032x}"
                change = changes.make(method)
                request = scene.api.request(method, change.request | {"request_id": trace})
                scarcity.try_one(change, request, trace, random.randint(1, steps), FOR_EVER if i % 2 else ONCE)
                traces.append((method, plain, trace))
        settle(shop)
        log = {"catalog": read_log(shop, "catalog")}
        for method, plain, trace in traces:
            once, again = effects_of(log, plain), effects_of(log, trace)
            report.check(f"{what}: {method}: its effects are those of one call", once == again and (once or method in SILENT),
                         f"{again} instead of {once}")
        report.check(f"{what}: the log has no gap", not gaps(log["catalog"]), gaps(log["catalog"])[:3])
        report.check(f"{what}: memory did run out", scarcity.ended + scarcity.refused >= len(traces) / 4,
                     (scarcity.ended, scarcity.refused, len(traces)))
        report.note(f"{what}: {len(traces)} allocations failed: the process ended itself {scarcity.ended} times, the call was refused "
                    f"{scarcity.refused} times and answered {scarcity.answered} times")


def check_refused(report, what, ask, reason):
    error, _ = refused(ask)
    report.check(what, error and error.reason == reason, f"{error} instead of {reason}")


def available(shop, sku, place):
    levels = shop.ask("StockService/GetStock", {"sku": sku}).get("levels", [])
    return sum(int(level.get("available", 0)) for level in levels if level["location"] == place)


def jumping_clock(scene, what):
    """Promises end when their time is over by the clock, and stay ended when it goes back."""
    report = scene.report
    shop, page = open_shop(scene, what)
    with shop:
        sku, place = skus(shop, CURRENCY)[0], f"place-{report.seed}"
        shop.ask("StockService/CorrectStock", {"sku": sku, "location": place, "counted": 5, "reason": "STOCK_REASON_COUNTED"})

        def reserve():
            return shop.ask("StockService/Reserve", {"holder": "carts/c", "ttl_seconds": HOUR // 2, "lines": [
                {"sku": sku, "location": place, "quantity": 2}]})["name"]

        def quote():
            return shop.ask("PricingService/CreateQuote", {"currency": CURRENCY, "lines": [{"sku": sku, "quantity": 1}]})["signed_quote"]

        def verify(signed):
            return shop.ask("PricingService/VerifyQuote", {"signed_quote": {"key_id": signed["key_id"]} | signed})
        early, promise = reserve(), quote()
        page.set_clock(-HOUR)
        check_refused(report, f"{what}: an hour back: no token of the future is good", lambda: verify(promise), "TOKEN_NOT_YET_VALID")
        page.set_clock(0)
        report.check(f"{what}: the quote is honoured again", verify(promise)["total"], "")
        report.check(f"{what}: the pieces are still promised", available(shop, sku, place) == 3, available(shop, sku, place))

        page.set_clock(HOUR - 60)
        check_refused(report, f"{what}: an hour on: the quote is over", lambda: verify(promise), "QUOTE_EXPIRED")
        check_refused(report, f"{what}: and so is the reservation", lambda: shop.ask("StockService/Confirm", {"name": early}), "RESERVATION_EXPIRED")
        wait_for("the pieces' way back", lambda: available(shop, sku, place) == 5, 30)
        late, promise = reserve(), quote()
        page.set_clock(0)
        check_refused(report, f"{what}: back again: what was over stays over", lambda: shop.ask("StockService/Confirm", {"name": early}),
                      "RESERVATION_EXPIRED")
        report.check(f"{what}: and is not given back twice", available(shop, sku, place) == 3, available(shop, sku, place))
        done = shop.ask("StockService/Confirm", {"name": late})
        report.check(f"{what}: what was promised ahead holds", done["state"] == "CONFIRMED" and verify(promise)["total"], done)
        shop.kill("catalog")
        shop.start("catalog")
        report.check(f"{what}: also after a new start", available(shop, sku, place) == 3, available(shop, sku, place))
        settle(shop)
        found = gaps(read_log(shop, "catalog"))
        report.check(f"{what}: the log has no gap", not found, found[:3])


CASES = {"scarce memory": scarce_memory, "jumping clock": jumping_clock}
