"""Those who take nothing, and those who want too much at once: neither is at the expense of the others, and neither is forgotten."""
import json
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from besieged import MemoryWatch
from builds import is_sanitized
from client import Client, Refused
from evidence import positions
from load import CURRENCY, skus
from outages import new_cart
from report import wait_for

STALL_SECONDS = 2
GATHER_SECONDS = 0.5
AT_ONCE = 2000  # changes; CONNECTIONS have room for half of them, the rest queues up with the clients
WATCHED_MIB = 8
CROWD_MIB = 64
ADDERS = 4
MAX_CALLS = 64
CONNECTIONS = 4


def check_memory(report, what, binaries, watch, most_mib):
    """Where a sanitizer keeps what was freed, growth says nothing."""
    growth = watch.growth()
    if not is_sanitized(binaries / "cart"):
        report.check(f"{what}: the server's memory grows by {most_mib} MiB at most", growth <= most_mib, f"{growth:.1f}")
    return growth


def place(answer):
    return answer["position"].get("partition", 0), int(answer["position"]["sequence"])


class Watcher(threading.Thread):
    """Takes every event at once, or goes on where it was: on a busy machine it may look as if it took nothing."""

    def __init__(self, shop):
        super().__init__(daemon=True)
        self.client = Client(shop.api, shop.processes["cart"].port, shop.token)
        self.answer = shop.api.message("throughline.event.v1.SubscribeResponse")
        self.seen = []
        self.last = {}
        self.is_over = False

    def run(self):
        while not self.is_over:
            try:
                self.follow()
            except (Refused, ValueError):
                time.sleep(0.1)

    def follow(self):
        at = [{"partition": partition, "sequence": sequence} for partition, sequence in self.last.items()]
        for answer in self.client.messages("EventService/Subscribe", {"positions": at}, timeout=600):
            position = self.answer.FromString(answer).position
            self.last[position.partition] = position.sequence
            self.seen.append((position.partition, position.sequence))


def written(path):
    """What the stopped one has printed, whole lines only."""
    whole, _, _ = path.read_text().rpartition("\n")
    return [place(json.loads(line)) for line in whole.splitlines()]


def add_lines(shop, articles, count, prefix):
    """So many events, by some at a time; how long each took."""
    def add(number):
        actor, took = f"customers/{prefix}-{number}", []
        cart = new_cart(shop, actor)
        for i in range(count // ADDERS):
            start = time.monotonic()
            shop.ask("CartService/AddLine", {"cart": cart, "sku": articles[i % len(articles)], "quantity": 1}, actor=actor, timeout=30)
            took.append(time.monotonic() - start)
        return took
    with ThreadPoolExecutor(ADDERS) as pool:
        return sorted(seconds for took in pool.map(add, range(ADDERS)) for seconds in took)


def in_order(seen):
    last = {}
    for partition, sequence in seen:
        if sequence != last.get(partition, 0) + 1:
            return False
        last[partition] = sequence
    return True


def stopped_watcher(scene, what):
    report = scene.report
    shop = scene.shop(what, names=("identity", "catalog", "cart"))
    cart = shop.processes["cart"]
    cart.command.append(f"--stall-time={STALL_SECONDS}s")
    out = scene.scratch / "stopped-watcher.jsonl"
    with shop, open(out, "wb") as printed:
        articles = skus(shop, CURRENCY)[:20]
        before = add_lines(shop, articles, report.size(200, 2000), "before")
        stopped = subprocess.Popen(
            [scene.binaries / "throughline", "watch", "events", "cart", f"--cart-target=127.0.0.1:{cart.port}",
             f"--token-file={cart.log.parent.parent}/tokens/admin.token"],
            # In a session of its own: the kernel wakes up whoever is stopped in a group that its shell leaves behind.
            stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.DEVNULL, start_new_session=True)
        watchers = [Watcher(shop) for _ in range(report.size(9, 49))]
        try:
            for watcher in watchers:
                watcher.start()
            wait_for("a first event for everybody", lambda: written(out) and all(watcher.seen for watcher in watchers), 60)
            stopped.send_signal(signal.SIGSTOP)
            memory = MemoryWatch(cart.process.pid)
            during = add_lines(shop, articles, report.size(600, 5000), "during")
            wait_for("an end to waiting for who takes nothing",
                     lambda: cart.metric('throughline_rpc_limits_reached_total{reason="stalled"}') >= 1, 60)
            total = sum(positions(shop, "cart").values())
            wait_for("every event for everybody else", lambda: all(len(watcher.seen) == total for watcher in watchers), 60)
            report.check(f"{what}: nobody else misses one, or has it twice or late", all(in_order(watcher.seen) for watcher in watchers))
            report.check(f"{what}: who was stopped has not seen all", len(written(out)) < total, total)
            growth = check_memory(report, what, scene.binaries, memory, WATCHED_MIB)
            stopped.send_signal(signal.SIGCONT)
            wait_for("the rest for who was stopped", lambda: len(written(out)) >= total, 60)
            report.check(f"{what}: who was stopped goes on where it was", in_order(written(out)), written(out)[-3:])
        finally:
            for watcher in watchers:
                watcher.is_over = True
            stopped.kill()
            stopped.wait()
        report.note(f"{what}: {total} events, {len(watchers)} other watchers, {growth:.1f} MiB; p99 of a change "
                    f"{during[len(during) * 99 // 100] * 1e3:.1f} ms, {before[len(before) * 99 // 100] * 1e3:.1f} before")


class Crowd:
    """Sends what is not answered yet, AT_ONCE at once, over a few connections, and again when the refusals say so."""

    method = "CartService/AddLine"

    def __init__(self, shop, requests):
        self.shop = shop
        self.waiting = requests  # (actor, bytes)
        self.refusals = []
        self.process = shop.processes["cart"]
        self.clients = [Client(shop.api, shop.processes["cart"].port, shop.token) for _ in range(CONNECTIONS)]
        for client in self.clients:
            client.wait_connected(30)

    def rush(self):
        calls = []
        wave, rest = self.waiting[:AT_ONCE], self.waiting[AT_ONCE:]
        for i, (actor, request) in enumerate(wave):
            client = self.clients[i % CONNECTIONS]
            calls.append(client.channel.unary_unary(self.shop.api.path(self.method)).future(
                request, timeout=60, metadata=client._metadata(actor, "web", None)))  # pylint: disable=protected-access
        if not self.refusals:  # the first time the service sleeps until all are there, however quick it is
            time.sleep(GATHER_SECONDS)
            self.process.signal(signal.SIGCONT)
        left = []
        for sent, call in zip(wave, calls):
            try:
                call.result()
            except grpc.RpcError as error:
                self.refusals.append(Refused(self.shop.api, self.method, error))
                left.append(sent)
        self.waiting = rest + left
        if left:
            time.sleep(max(refusal.retry_seconds or 0 for refusal in self.refusals[-len(left):]))


def crowd(scene, what):
    report = scene.report
    shop = scene.shop(what, names=("identity", "catalog", "cart"))
    process = shop.processes["cart"]
    process.command += [f"--max-calls={MAX_CALLS}", "--workers=4", "--max-queue=16"]
    with shop:
        articles = skus(shop, CURRENCY)[:20]
        actors = [f"customers/crowd-{i}" for i in range(20)]
        carts = [new_cart(shop, actor) for actor in actors]
        count = report.size(1000, 10000)
        quiet = add_lines(shop, articles, report.size(200, 2000), "quiet")
        requests = [(actors[i % 20], shop.api.request(Crowd.method, {
            "cart": carts[i % 20], "sku": articles[i // 20 % 20], "quantity": 1, "request_id": f"crowd-{i}"})) for i in range(count)]
        memory = MemoryWatch(process.process.pid)
        rush = Crowd(shop, requests)
        start = time.monotonic()
        process.signal(signal.SIGSTOP)
        while rush.waiting:
            rush.rush()
        seconds = time.monotonic() - start
        growth = check_memory(report, what, scene.binaries, memory, CROWD_MIB)
        odd = [refusal for refusal in rush.refusals if refusal.code not in ("RESOURCE_EXHAUSTED", "ABORTED")]
        turned_away = [refusal for refusal in rush.refusals if refusal.code == "RESOURCE_EXHAUSTED"]
        report.check(f"{what}: there were more than the server takes", len(turned_away) >= count // 10, len(turned_away))
        report.check(f"{what}: whoever is turned away is told so", not odd, odd[:2])
        report.check(f"{what}: and when to come again", all(refusal.retry_seconds for refusal in turned_away),
                     [refusal for refusal in turned_away if not refusal.retry_seconds][:2])
        there = [shop.ask("CartService/GetCart", {"name": cart}, actor=actor) for cart, actor in zip(carts, actors)]
        pieces = sum(line["quantity"] for cart in there for line in cart["lines"])
        report.check(f"{what}: everything is done once in the end", pieces == count, f"{pieces} of {count}")
        after = add_lines(shop, articles, 40, "after")
        report.check(f"{what}: whoever comes afterwards is served", len(after) == 40)
        for client in rush.clients:
            client.close()
        report.note(f"{what}: {count} changes at once, {len(turned_away)} turned away, {count / seconds:.0f}/s done in the crowd, "
                    f"{ADDERS * len(quiet) / sum(quiet):.0f}/s by {ADDERS} callers before, {growth:.1f} MiB")


CASES = {"stopped watcher": stopped_watcher, "crowd": crowd}
