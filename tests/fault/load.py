"""Writers that know what they were promised: every acknowledged change is noted, and looked for at the end. A call that is not
answered is sent again as it is, until it is."""
import threading
import time

from client import Refused
from report import Failed, wait_for

CURRENCY = "EUR"
MAX_QUANTITY = 3
PIECES = 1_000_000


class Writer(threading.Thread):
    """Works as one customer until it is told to stop; what it finds wrong is in `problem`."""

    def __init__(self, shop, world, name, random):
        super().__init__(daemon=True, name=name)
        self.shop = shop
        self.world = world
        self.random = random
        self.acknowledged = 0
        self.problem = None
        self.stopping = threading.Event()
        self.requests = 0
        self.customer = self.change("CustomerService/CreateCustomer", {"customer": {"display_name": name}},
                                    actor="services/test")["name"]

    def run(self):
        try:
            while not self.stopping.is_set():
                self.work()
        except Exception as error:  # pylint: disable=broad-except
            self.problem = f"{type(error).__name__} {error}"

    def finish(self, seconds=60):
        self.stopping.set()
        self.join(seconds)
        if self.is_alive():
            self.problem = self.problem or "a call that is never answered"

    def change(self, method, request, actor=None):
        """One change with a request id of its own, insisted on."""
        self.requests += 1
        request = request | {"request_id": f"{self.world.run}-{self.name}-{self.requests}"}
        answer = self.shop.insist(method, request, actor=actor or self.customer)
        self.acknowledged += 1
        return answer

    def expect(self, is_so, what):
        if not is_so:
            raise AssertionError(what)


class Shopper(Writer):
    """Fills carts and buys them."""

    def __init__(self, *arguments):
        self.orders = {}  # name: quantities
        self.cart, self.lines = None, {}
        super().__init__(*arguments)

    def work(self):
        self.cart = self.change("CartService/CreateCart", {"currency": CURRENCY})["name"]
        self.lines = {}
        for _ in range(self.random.randint(1, 4)):
            self.add()
            if self.stopping.is_set():
                return
        if self.random.random() < 0.3:
            self.set_quantity()
        quote = self.shop.insist("CartService/QuoteCart", {"cart": self.cart}, actor=self.customer)
        order = self.change("CartService/Checkout", {"cart": self.cart, "signed_quote": quote["signed_quote"]})
        self.expect(order["invoice"]["total"] == quote["quote"]["total"], f"{order['name']} is not billed as quoted")
        self.orders[order["name"]] = self.lines
        self.cart, self.lines = None, {}

    def add(self):
        sku = self.random.choice(self.world.skus)
        quantity = self.random.randint(1, MAX_QUANTITY)
        cart = self.change("CartService/AddLine", {"cart": self.cart, "sku": sku, "quantity": quantity})
        self.lines[sku] = self.lines.get(sku, 0) + quantity
        self.expect(quantities(cart) == self.lines, f"{cart['name']}: {quantities(cart)} instead of {self.lines}")

    def set_quantity(self):
        sku = self.random.choice(list(self.lines))
        self.lines[sku] = self.random.randint(1, MAX_QUANTITY)
        cart = self.change("CartService/ChangeLine", {"cart": self.cart, "sku": sku, "quantity": self.lines[sku]})
        self.expect(quantities(cart) == self.lines, f"{cart['name']}: {quantities(cart)} instead of {self.lines}")

    def verify(self):
        there = {order["name"]: quantities(order["quote"]) for order in self.shop.pages(
            "OrderService/ListOrders", {"customer": self.customer}, "orders", actor=self.customer)}
        self.expect(there == self.orders, f"{len(there)} orders, {len(self.orders)} acknowledged: {set(there) ^ set(self.orders)}")
        if self.cart:
            cart = self.shop.ask("CartService/GetCart", {"name": self.cart}, actor=self.customer)
            self.expect(quantities(cart) == self.lines, f"{self.cart}: {quantities(cart)} instead of {self.lines}")


class Undecided(Writer):
    """Says yes and no in turn."""

    states = ("GRANTED", "DENIED")

    def work(self):
        self.said = getattr(self, "said", 0)
        self.change("ConsentService/SetConsent", {"customer": self.customer, "consent": {
            "purpose": "marketing", "channel": "email", "state": self.states[self.said % 2], "wording": f"v{self.said}"}})
        self.said += 1

    def verify(self):
        consents = self.shop.ask("CustomerService/GetCustomer", {"name": self.customer})["consents"]
        self.expect(consents[0]["wording"] == f"v{self.said - 1}", f"{consents} after {self.said} changes")
        wanted = [f"v{i}" for i in reversed(range(self.said))]
        # It follows the events.
        wait_for(f"a history of {self.said} entries", lambda: self.history() == wanted)

    def history(self):
        return [record["consent"]["wording"] for record in self.shop.pages(
            "ConsentService/ListConsentHistory", {"customer": self.customer}, "records")]


class Agent(Writer):
    """Opens cases, answers them and closes them."""

    def __init__(self, *arguments):
        self.cases = {}  # name: what was said
        super().__init__(*arguments)

    def work(self):
        case = self.change("CaseService/OpenCase", {
            "customer": self.customer, "subject": "Parcel", "text": "first"}, actor="agents/kim")["name"]
        self.cases[case] = ["first"]
        for i in range(self.random.randint(1, 4)):
            self.change("CaseService/AnswerCase", {"name": case, "text": f"answer {i}"}, actor="agents/kim")
            self.cases[case].append(f"answer {i}")
            if self.stopping.is_set():
                return
        self.change("CaseService/ResolveCase", {"name": case, "resolution": "found"}, actor="agents/kim")

    def verify(self):
        there = {case["name"]: [message["text"] for message in case["messages"]] for case in self.shop.pages(
            "CaseService/ListCases", {"customer": self.customer}, "cases", actor="agents/kim")}
        wrong = [name for name in set(there) | set(self.cases) if there.get(name) != self.cases.get(name)]
        self.expect(not wrong, f"{len(wrong)} cases differ, {wrong[0] if wrong else ''}")


class Messenger(Writer):
    """Sends messages to a customer who agreed."""

    def __init__(self, *arguments):
        self.sent = []
        super().__init__(*arguments)
        self.change("ConsentService/SetConsent", {"customer": self.customer, "consent": {
            "purpose": "service", "channel": "inbox", "state": "GRANTED", "wording": "w"}})

    def work(self):
        message = self.change("MessageService/SendMessage", {
            "customer": self.customer, "template": self.world.template, "purpose": "service",
            "variables": {"name": "Jo"}, "deduplication_key": f"{self.world.run}-{len(self.sent)}"}, actor="services/test")
        self.expect(message["state"] != "SUPPRESSED", f"{message['name']} was not sent")
        self.sent.append(message["name"])

    def verify(self):
        there = [message["name"] for message in self.shop.pages(
            "MessageService/ListMessages", {"customer": self.customer}, "messages", actor="services/test")]
        self.expect(sorted(there) == sorted(self.sent), f"{len(there)} messages, {len(self.sent)} acknowledged")


def quantities(message):
    return {line["sku"]: line["quantity"] for line in message.get("lines", [])}


class World:
    """What writers need to be there: articles and a template."""

    def __init__(self, shop, run):
        self.run = run
        self.skus = skus(shop, CURRENCY)
        for sku in self.skus:  # enough for everybody
            shop.insist("StockService/CorrectStock", {
                "sku": sku, "location": "shelf", "counted": PIECES, "reason": "STOCK_REASON_COUNTED"})
        self.template = f"templates/hello-{run}"
        shop.insist("MessageService/CreateTemplate", {"template": {
            "name": self.template, "subject": "Hello {{name}}", "body": "Hello {{name}}."}})


def skus(shop, currency):
    """Of every variant with a price in that currency."""
    return [variant["sku"] for product in shop.pages("ProductService/ListProducts", {}, "products")
            for variant in product["variants"]
            if any(price["amount"]["currency_code"] == currency for price in variant.get("prices", []))]


def mixed(shop, world, report, case):
    """One writer of each kind, two shoppers, all running."""
    kinds = [Shopper, Shopper, Undecided, Agent, Messenger]
    writers = [kind(shop, world, f"{kind.__name__.lower()}-{i}", report.random(f"{case} {i}"))
               for i, kind in enumerate(kinds)]
    for writer in writers:
        writer.start()
    return writers


def acknowledged(writers):
    return sum(writer.acknowledged for writer in writers)


def wait_for_acknowledgements(writers, count, seconds=15):
    """Whether so many came; a fault into no load proves nothing."""
    wanted = acknowledged(writers) + count
    end = time.monotonic() + seconds
    while acknowledged(writers) < wanted:
        if time.monotonic() > end or any(writer.problem for writer in writers):
            return False
        time.sleep(0.002)
    return True


def check_writers(report, what, writers):
    """Ends them and looks for everything that they were promised."""
    for writer in writers:
        writer.finish()
    for writer in writers:
        problem = writer.problem
        if not problem:
            try:
                writer.verify()
            except (AssertionError, Failed, Refused) as error:
                problem = str(error)
        report.check(f"{what}: nothing of {writer.name} is lost or doubled", not problem, problem)
