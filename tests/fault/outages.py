"""Services that are dead, slow or told to stop, and what the others make of it."""
import threading
import time

from client import Refused
from door import Door
from load import CURRENCY, World, quantities, skus
from report import wait_for

PATIENCE_SECONDS = 2
SLACK_SECONDS = 1  # beyond a deadline, on a busy machine
BACK_SECONDS = 10
LOAD_THREADS = 8


def refused(ask):
    """The refusal, and how long it took; None when there was none."""
    start = time.monotonic()
    try:
        ask()
    except Refused as error:
        return error, time.monotonic() - start
    return None, time.monotonic() - start


def check_unavailable(report, what, ask):
    error, seconds = refused(ask)
    report.check(f"{what} is UNAVAILABLE", error and error.code == "UNAVAILABLE", error or "OK")
    report.check(f"{what} is answered within its deadline", seconds < PATIENCE_SECONDS + SLACK_SECONDS, f"{seconds:.1f} s")


def new_cart(shop, actor):
    return shop.ask("CartService/CreateCart", {"currency": CURRENCY}, actor=actor)["name"]


def dead_catalog(scene, what):
    report = scene.report
    with scene.shop(what, names=("identity", "catalog", "cart")) as shop:
        first, second, third = skus(shop, CURRENCY)[:3]
        cart = new_cart(shop, "customers/ann")

        def add(sku, timeout=PATIENCE_SECONDS):
            return shop.ask("CartService/AddLine", {"cart": cart, "sku": sku, "quantity": 1}, actor="customers/ann",
                            timeout=timeout)
        add(first)
        shop.kill("catalog")
        check_unavailable(report, f"{what}: AddLine", lambda: add(second))
        check_unavailable(report, f"{what}: QuoteCart", lambda: shop.ask(
            "CartService/QuoteCart", {"cart": cart}, actor="customers/ann", timeout=PATIENCE_SECONDS))
        there = shop.ask("CartService/GetCart", {"name": cart}, actor="customers/ann")
        report.check(f"{what}: the cart is read, and as it was", quantities(there) == {first: 1}, there)
        shop.start("catalog")
        start = time.monotonic()
        shop.insist("CartService/AddLine", {"cart": cart, "sku": third, "quantity": 1, "request_id": "back"},
                    actor="customers/ann", seconds=BACK_SECONDS)
        report.note(f"{what}: AddLine is back {time.monotonic() - start:.2f} s after the catalogue")
        there = shop.ask("CartService/GetCart", {"name": cart}, actor="customers/ann")
        report.check(f"{what}: only what was acknowledged is in the cart", quantities(there) == {first: 1, third: 1}, there)


def slow_catalog(scene, what):
    """A peer whose every answer takes its time must still be reached, from the first connection on."""
    with scene.shop(what, names=("identity", "catalog", "cart")) as shop:
        sku = skus(shop, CURRENCY)[0]
        door = Door("127.0.0.1", shop.processes["catalog"].port, delay_seconds=0.15)
        cart_process = shop.processes["cart"]
        cart_process.targets = cart_process.targets | {"catalog": door.port}
        shop.kill("cart")
        shop.start("cart")
        start = time.monotonic()
        cart = new_cart(shop, "customers/slow")
        shop.ask("CartService/AddLine", {"cart": cart, "sku": sku, "quantity": 1}, actor="customers/slow", timeout=5)
        scene.report.check(f"{what}: AddLine waits for the catalogue", True)
        scene.report.note(f"{what}: the first AddLine took {time.monotonic() - start:.2f} s over a line of 0.15 s each way")


def dead_identity(scene, what):
    report = scene.report
    with scene.shop(what) as shop:
        world = World(shop, f"i{report.seed}")
        willing, silent = (shop.ask("CustomerService/CreateCustomer", {"customer": {"display_name": name}})["name"]
                           for name in ("willing", "silent"))
        shop.ask("ConsentService/SetConsent", {"customer": willing, "consent": {
            "purpose": "service", "channel": "inbox", "state": "GRANTED", "wording": "w"}})

        def send(customer, key):
            return shop.ask("MessageService/SendMessage", {
                "customer": customer, "template": world.template, "purpose": "service", "variables": {"name": "Jo"},
                "deduplication_key": key}, timeout=PATIENCE_SECONDS)

        def inbox(customer):
            return list(shop.pages("MessageService/ListMessages", {"customer": customer}, "messages"))
        shop.kill("identity")
        for customer in (willing, silent):
            check_unavailable(report, f"{what}: SendMessage", lambda: send(customer, "1"))  # pylint: disable=W0640
            report.check(f"{what}: nothing is sent on a guess", not inbox(customer), inbox(customer))
        shop.start("identity")
        wait_for("identity for notification", lambda: refused(lambda: send(silent, "2"))[0] is None, BACK_SECONDS)
        report.check(f"{what}: nothing was sent behind our back", not inbox(willing), inbox(willing))
        report.check(f"{what}: who agreed is written to", send(willing, "1")["state"] in ("SENT", "QUEUED", "DELIVERED"))
        report.check(f"{what}: who did not is not", {m["state"] for m in inbox(silent)} == {"SUPPRESSED"}, inbox(silent))


class Impatient(threading.Thread):
    """Adds to a cart of its own, each call once, whatever comes; ends when nobody answers any more."""

    def __init__(self, shop, articles, index):
        super().__init__(daemon=True)
        self.shop, self.articles, self.index = shop, articles, index
        self.actor = f"customers/impatient-{index}"
        self.cart = new_cart(shop, self.actor)
        self.calls = []  # (request, refusal or None)

    def run(self):
        failures = 0
        while failures < 5:
            request = {"cart": self.cart, "sku": self.articles[len(self.calls) % len(self.articles)], "quantity": 1,
                       "request_id": f"impatient-{self.index}-{len(self.calls)}"}
            error, _ = refused(lambda: self.shop.ask("CartService/AddLine", request, actor=self.actor))  # pylint: disable=W0640
            self.calls.append((request, error))
            failures = failures + 1 if error else 0

    def acknowledged(self):
        return sum(error is None for _, error in self.calls)

    def wanted(self, only_acknowledged):
        sums = {}
        for request, error in self.calls:
            if not (only_acknowledged and error):
                sums[request["sku"]] = sums.get(request["sku"], 0) + 1
        return sums

    def there(self):
        return quantities(self.shop.ask("CartService/GetCart", {"name": self.cart}, actor=self.actor))


def stopped_under_load(scene, what):
    report = scene.report
    with scene.shop(what, names=("identity", "catalog", "cart")) as shop:
        callers = [Impatient(shop, skus(shop, CURRENCY)[:20], i) for i in range(LOAD_THREADS)]
        for caller in callers:
            caller.start()
        wait_for("load", lambda: sum(caller.acknowledged() for caller in callers) >= 10 * LOAD_THREADS, 30)
        before = sum(caller.acknowledged() for caller in callers)
        report.check(f"{what}: there was load when the signal came", all(caller.is_alive() for caller in callers))
        start = time.monotonic()
        codes = shop.stop()
        stopped = time.monotonic() - start
        for caller in callers:
            caller.join(30)
        report.check(f"{what}: every service ends with 0", set(codes.values()) == {0}, codes)
        others = {error.code for caller in callers for _, error in caller.calls if error} - {"UNAVAILABLE"}
        report.check(f"{what}: whatever was not done is UNAVAILABLE", not others, others)
        shop.start()
        for caller in callers:
            there, promised = caller.there(), caller.wanted(only_acknowledged=True)
            lost = [sku for sku, count in promised.items() if there.get(sku, 0) < count]
            report.check(f"{what}: no acknowledged line of caller {caller.index} is lost", not lost, f"{there} {promised}")
            for request, error in caller.calls:
                if error:
                    shop.insist("CartService/AddLine", request, actor=caller.actor)
            report.check(f"{what}: caller {caller.index} may send all again and nothing is doubled",
                         caller.there() == caller.wanted(only_acknowledged=False), f"{caller.there()}")
        report.note(f"{what}: {before} calls before the signal, three services stopped in {stopped:.2f} s")


CASES = {"dead catalog": dead_catalog, "slow catalog": slow_catalog, "dead identity": dead_identity,
         "stopped under load": stopped_under_load}
