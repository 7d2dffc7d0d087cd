"""A Mongo-wire store that is not there, goes away, falls silent; two replicas, one of which is stopped in the middle of its work."""
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from client import Refused
from door import Door
from evidence import gaps, positions, read_log, settle
from processes import Shop
from report import Skipped, wait_for
from shop import is_ready

SUPPORT = Path(__file__).resolve().parent.parent / "support"
START_SECONDS = 240
OUTAGE_SECONDS = 1.5
DEADLINE_SECONDS = 0.7
SLACK_SECONDS = 1.5
BACK_SECONDS = 30
LEASE_SECONDS = 15
PACE_SECONDS = 0.5  # the server that stands in for MongoDB is slow
CALLERS = 6
UNAVAILABLE = {"UNAVAILABLE", "DEADLINE_EXCEEDED"}


class Mongo:
    """The server that the tests were given, or one of our own; one a process."""

    _lock = threading.Lock()
    _process = None
    _uri = os.environ.get("THROUGHLINE_TEST_MONGO_URI", "")
    _why_not = ""

    @classmethod
    def uri(cls):
        with cls._lock:
            if not cls._uri and not cls._why_not:
                cls._start()
            if not cls._uri:
                raise Skipped(cls._why_not)
            return cls._uri

    @classmethod
    def _start(cls):
        cls._process = subprocess.Popen([SUPPORT / "mongo_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        cls._uri = cls._process.stdout.readline().strip()
        if not cls._uri:
            cls._why_not = "no Mongo-wire server: " + cls._process.stderr.read().strip()[-200:]

    @classmethod
    def stop(cls):
        if cls._process:
            cls._process.stdin.close()
            cls._process.wait(30)


def through_door(is_open):
    """A door in front of the server, and the address through it."""
    parts = urlsplit(Mongo.uri())
    if parts.scheme != "mongodb" or "," in parts.netloc:
        raise Skipped("the Mongo-wire server is not one host: a door does not fit in front of it")
    host, _, port = parts.netloc.rpartition("@")[2].partition(":")
    door = Door(host, int(port or 27017), is_open)
    credentials = parts.netloc.rpartition("@")[0]
    netloc = f"{credentials}@127.0.0.1:{door.port}" if credentials else f"127.0.0.1:{door.port}"
    query = "&".join(filter(None, [parts.query, "directConnection=true"]))
    return door, urlunsplit(("mongodb", netloc, parts.path or "/", query, ""))


def create(shop, name, timeout=DEADLINE_SECONDS):
    return shop.ask("CustomerService/CreateCustomer", {"request_id": name, "customer": {
        "display_name": name, "identifiers": [{"kind": "DEVICE", "value": name}]}}, timeout=timeout)["name"]


def not_there_at_start(scene, what):
    report = scene.report
    door, uri = through_door(is_open=False)
    shop = Shop(scene.api, scene.binaries, scene.data(what), names=("identity",), store_uri=uri)
    identity = shop.processes["identity"]
    try:
        identity.start()
        wait_for("an answer", lambda: refusal(lambda: create(shop, "nobody")) is not None and identity.is_running(), 10)
        time.sleep(0.3)
        error = wait_for("a refusal by the service", lambda: is_ours(refusal(lambda: create(shop, "nobody"))), 10)
        report.check(f"{what}: calls are UNAVAILABLE", error.code == "UNAVAILABLE", error)
        report.check(f"{what}: callers hear when to try again", error.retry_seconds, error)
        report.check(f"{what}: it is not ready", not is_ready(identity.admin_port))
        report.check(f"{what}: it waits", identity.is_running())
        door.open()
        start = time.monotonic()
        identity.wait_ready()
        report.note(f"{what}: ready {time.monotonic() - start:.2f} s after the store")
        report.check(f"{what}: it works when the store is there", create(shop, f"late-{report.seed}", 10))
        report.check(f"{what}: it stops with 0", shop.stop() == {"identity": 0})
    finally:
        shop.__exit__()


def refusal(ask):
    try:
        ask()
    except Refused as error:
        return error
    return None


def is_ours(error):
    """A refusal with details: of the service, not of the connection."""
    return error if error and error.reason != error.code else None


class Registrar(threading.Thread):
    """Makes customers, each until it is made; notes every answer."""

    def __init__(self, shop, prefix):
        super().__init__(daemon=True)
        self.shop, self.prefix = shop, prefix
        self.made = {}
        self.answers = []  # (when, code, seconds)
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            self._make(f"{self.prefix}-{len(self.made)}")

    def _make(self, name):
        while name not in self.made:
            start = time.monotonic()
            code = "OK"
            try:
                self.made[name] = create(self.shop, name)
            except Refused as error:
                code = error.code
            self.answers.append((start, code, time.monotonic() - start))
            if code not in UNAVAILABLE | {"OK"}:
                return
            if code != "OK":
                time.sleep(0.02)


def goes_away(scene, what):
    report = scene.report
    door, uri = through_door(is_open=True)
    with Shop(scene.api, scene.binaries, scene.data(what), names=("identity",), store_uri=uri) as shop:
        callers = [Registrar(shop, f"away-{report.seed}-{i}") for i in range(CALLERS)]
        for caller in callers:
            caller.start()

        def made():
            return sum(len(caller.made) for caller in callers)

        def outage(kind, begin, end):
            before = made()
            wait_for(f"load before the store is {kind}", lambda: made() >= before + 2 * CALLERS, 30)
            begin()
            begun = time.monotonic()
            time.sleep(OUTAGE_SECONDS)
            end()
            ended = time.monotonic()
            before = made()
            wait_for(f"work after the store was {kind}", lambda: made() >= before + CALLERS, BACK_SECONDS)
            report.note(f"{what}: back {time.monotonic() - ended:.2f} s after the store was {kind}")
            answers = [answer for caller in callers for answer in caller.answers
                       if answer[0] < ended and begun < answer[0] + answer[2]]
            codes = Counter(code for _, code, _ in answers)
            report.check(f"{what}: calls while it is {kind} are UNAVAILABLE", codes and set(codes) <= UNAVAILABLE | {"OK"}, codes)
            report.check(f"{what}: some calls are refused while it is {kind}", set(codes) & UNAVAILABLE, codes)
            slowest = max((seconds for _, _, seconds in answers), default=0)
            report.check(f"{what}: calls while it is {kind} end with their deadline",
                         slowest < DEADLINE_SECONDS + SLACK_SECONDS, f"{slowest:.1f} s")
        outage("cut off", door.slam, door.open)
        outage("silent", door.hold, door.open_again)
        for caller in callers:
            caller.stopping.set()
        for caller in callers:
            caller.join(30)
        check_customers(report, what, shop, {name: found for caller in callers for name, found in caller.made.items()})
        report.check(f"{what}: it is the same process all the time", shop.processes["identity"].is_running())
        report.check(f"{what}: it stops with 0", shop.stop() == {"identity": 0})


def check_customers(report, what, shop, made):
    lost = [name for name, customer in made.items() if shop.ask("CustomerService/FindCustomer", {
        "identifier": {"kind": "DEVICE", "value": name}})["name"] != customer]
    report.check(f"{what}: none of {len(made)} acknowledged customers is lost", not lost, lost[:3])
    names = Counter(customer.get("display_name", "") for customer in
                    shop.pages("CustomerService/ListCustomers", {}, "customers"))
    doubled = [name for name in made if names[name] != 1]
    report.check(f"{what}: none is there twice", not doubled, doubled[:3])


class Replica(threading.Thread):
    """Opens cases at one replica."""

    def __init__(self, shop, prefix):
        super().__init__(daemon=True)
        self.shop, self.prefix = shop, prefix
        self.cases = []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            request = {"customer": f"customers/paused-{len(self.cases) % 8}", "subject": "s", "text": "t",
                       "request_id": f"{self.prefix}-{len(self.cases)}"}
            try:
                self.cases.append(self.shop.ask("CaseService/OpenCase", request, actor="agents/kim", timeout=60)["name"])
            except Refused as error:
                if not error.is_passing:
                    raise
            time.sleep(PACE_SECONDS)


def paused_holder(scene, what):
    """The replica that moves events sleeps longer than its lease and wakes up in the middle of a move."""
    if scene.report.quick:
        raise Skipped("it sleeps longer than a lease: part of the long run")
    report = scene.report
    data = scene.data(what)
    shops = [Shop(scene.api, scene.binaries, data, names=("feedback",), store_uri=Mongo.uri()) for _ in range(2)]
    try:
        shops[0].start()
        shops[1].start()
        writers = [Replica(shop, f"paused-{report.seed}-{i}") for i, shop in enumerate(shops)]
        for writer in writers:
            writer.start()
        wait_for("load", lambda: all(len(writer.cases) >= 5 for writer in writers), 30)
        holder = pause_holder(shops)
        start = time.monotonic()
        other = shops[1 - shops.index(holder)]
        stood_at = positions(other, "feedback")
        wait_for("somebody else to take over", lambda: positions(other, "feedback") != stood_at, 3 * LEASE_SECONDS)
        taken = time.monotonic() - start
        time.sleep(0.5)
        holder.processes["feedback"].signal(signal.SIGCONT)
        report.check(f"{what}: its lease was waited for", taken > 1, f"{taken:.1f} s")
        time.sleep(1)
        for writer in writers:
            writer.stopping.set()
        for writer in writers:
            writer.join(70)
        cases = [case for writer in writers for case in writer.cases]
        settle(other)
        for shop in shops:
            events = read_log(shop, "feedback")
            report.check(f"{what}: the log has neither gap nor double", not gaps(events), gaps(events)[:5])
            told = Counter(event["aggregate"] for event in events)
            wrong = [case for case in cases if told[case] != 1]
            report.check(f"{what}: each of {len(cases)} cases is told once", not wrong, wrong[:3])
            report.check(f"{what}: it stops with 0", shop.stop() == {"feedback": 0})
        report.note(f"{what}: the other replica moved events {taken:.1f} s after the pause")
    finally:
        for shop in shops:
            shop.__exit__()


def pause_holder(shops):
    """Stops the replica that holds the leases: when it sleeps, the log stands still."""
    for shop, other in (shops, shops[::-1]):
        shop.processes["feedback"].signal(signal.SIGSTOP)
        time.sleep(0.5)
        before = positions(other, "feedback")
        time.sleep(1.5)
        if positions(other, "feedback") == before:
            return shop
        shop.processes["feedback"].signal(signal.SIGCONT)
    raise Skipped("both replicas hold leases")


CASES = {"store not there at start": not_there_at_start, "store goes away": goes_away,
         "paused lease holder": paused_holder}
