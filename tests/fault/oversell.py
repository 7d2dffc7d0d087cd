"""More buyers than pieces and than uses of a code, while the services are killed: what is sold is what there was, at every look."""
import json
import threading
import time

from client import Refused
from load import CURRENCY, skus
from report import wait_for

SHELF = "shelf"
THREADS = 8
MANY = 1_000_000
SOLD_BEFORE = 2  # answers between a start and the next kill; a fault into no load proves nothing
FREE_SECONDS = 60  # a checkout that was cut off is ended by the job


class Buyers:
    """So many, one after the other on a few threads; each wants one piece of the scarce article, or one use of the scarce code."""

    def __init__(self, shop, run, scarce, plenty, code, promotion, count):
        self.shop, self.run = shop, run
        self.scarce, self.plenty, self.code, self.promotion = scarce, plenty, code, promotion
        self.lock = threading.Lock()
        self.left = list(range(count))
        self.pieces = self.uses = self.refused = self.answers = 0
        self.problem = None
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(THREADS)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def are_done(self):
        return not any(thread.is_alive() for thread in self.threads)

    def _serve(self):
        try:
            while True:
                with self.lock:
                    if not self.left or self.problem:
                        return
                    buyer = self.left.pop()
                self._buy(buyer)
        except Exception as error:  # pylint: disable=broad-except
            self.problem = f"{type(error).__name__} {error}"

    def _buy(self, buyer):
        wants_code, actor = bool(buyer % 2), f"customers/buyer-{self.run}-{buyer}"

        def insist(step, method, request):
            return self.shop.insist(method, request | {"request_id": f"{self.run}-{buyer}-{step}"}, actor=actor, seconds=120)
        cart = insist("cart", "CartService/CreateCart", {"currency": CURRENCY})["name"]
        insist("line", "CartService/AddLine", {"cart": cart, "sku": self.plenty if wants_code else self.scarce, "quantity": 1})
        outcome = "refused"
        try:
            if wants_code:
                insist("code", "CartService/AddPromotion", {"cart": cart, "code": self.code})
            quote = self.shop.insist("CartService/QuoteCart", {"cart": cart}, actor=actor)
            takes_use = self.promotion in json.dumps(quote["quote"].get("lines", []))
            if takes_use or not wants_code:
                insist("checkout", "CartService/Checkout", {"cart": cart, "signed_quote": quote["signed_quote"]})
                outcome = "uses" if wants_code else "pieces"
        except Refused as error:
            if error.code not in ("FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "NOT_FOUND", "INVALID_ARGUMENT"):
                raise
        with self.lock:
            setattr(self, outcome, getattr(self, outcome) + 1)
            self.answers += 1


class Watcher(threading.Thread):
    """Looks at the shelf all the time; what never may be is in `wrong`."""

    def __init__(self, shop, sku, pieces):
        super().__init__(daemon=True)
        self.shop, self.sku, self.last = shop, sku, pieces
        self.looks, self.wrong = 0, []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                stock = self.shop.ask("StockService/GetStock", {"sku": self.sku})
            except Refused:
                time.sleep(0.01)
                continue
            on_hand, reserved, available = (int(stock.get(key, 0)) for key in ("on_hand", "reserved", "available"))
            if not 0 <= on_hand <= self.last or reserved < 0 or available < 0 or reserved + available != on_hand:
                self.wrong.append((on_hand, reserved, available, self.last))
            self.last = on_hand
            self.looks += 1


def put_on_shelf(shop, sku, pieces):
    """There, and nowhere else."""
    places = {level["location"] for level in shop.ask("StockService/GetStock", {"sku": sku}).get("levels", [])} - {SHELF}
    for place, counted in [*((place, 0) for place in places), (SHELF, pieces)]:
        shop.ask("StockService/CorrectStock", {"sku": sku, "location": place, "counted": counted, "reason": "STOCK_REASON_COUNTED"})


def kill_under_sale(report, what, shop, buyers, kills, random):
    done = 0
    for _ in range(kills):
        wanted = buyers.answers + SOLD_BEFORE
        wait_for("a sale", lambda: buyers.answers >= wanted or buyers.are_done(), 60)  # pylint: disable=W0640
        if buyers.are_done():
            break
        time.sleep(random.uniform(0, 0.1))
        names = random.choice([("catalog",), ("cart",), ("catalog", "cart")])
        shop.kill(*names)
        shop.start(*names)
        done += 1
    report.check(f"{what}: there were {kills} kills under load", done == kills, done)


def oversell(scene, what):
    report, random = scene.report, scene.report.random(what)
    count, scarce, kills = report.size(60, 4000), report.size(10, 100), report.size(3, 60)
    with scene.shop(what, names=("identity", "catalog", "cart")) as shop:
        sku, other = skus(shop, CURRENCY)[:2]
        put_on_shelf(shop, sku, scarce)
        put_on_shelf(shop, other, MANY)
        code = f"SCARCE{report.seed}"
        promotion = shop.ask("PricingService/CreatePromotion", {"promotion": {
            "title": "For the first ones", "code": code, "basis_points": 1000, "total_limit": scarce}})["name"]
        buyers = Buyers(shop, f"o{report.seed}", sku, other, code, promotion, count)
        watcher = Watcher(shop, sku, scarce)
        watcher.start()
        buyers.start()
        kill_under_sale(report, what, shop, buyers, kills, random)
        wait_for("the last buyer", buyers.are_done, 600)
        watcher.stopping.set()
        watcher.join(30)

        def level():
            return shop.ask("StockService/GetStock", {"sku": sku})

        def usage():
            return shop.ask("CouponService/GetPromotionUsage", {"promotion": promotion})
        wait_for("the end of what was cut off", lambda: not int(level().get("reserved", 0)) and not int(usage().get("reserved", 0)),
                 FREE_SECONDS)
        report.check(f"{what}: every buyer has an answer", not buyers.problem, buyers.problem)
        report.check(f"{what}: as many pieces are sold as there were", buyers.pieces == scarce and not int(level().get("on_hand", 0)),
                     f"{buyers.pieces} of {scarce}, {level()}")
        report.check(f"{what}: as many uses are taken as there were", buyers.uses == scarce == int(usage().get("used", 0)),
                     f"{buyers.uses} of {scarce}, {usage()}")
        report.check(f"{what}: every look adds up", watcher.looks >= count and not watcher.wrong, (watcher.looks, watcher.wrong[:5]))
        report.note(f"{what}: {count} buyers of {scarce} pieces and {scarce} uses through {kills} kills: {buyers.pieces} pieces, "
                    f"{buyers.uses} uses, {buyers.refused} refused; {watcher.looks} looks at the shelf")


CASES = {"oversell": oversell}
