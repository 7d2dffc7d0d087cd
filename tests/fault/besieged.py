"""A server under attack: how its memory and a well-behaved client fare meanwhile, and whether it serves new clients afterwards."""
import resource
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import hostile
from frames import DATA, Connection, Gone, call, is_served, message
from report import Failed, Skipped, wait_for

CALLS_A_SECOND = 200
CALM_SECONDS = 3.0  # at most
SAMPLE_SECONDS = 0.02
AFTERWARDS_SECONDS = 20  # in which a new client must be served; how soon it was is reported
MIB = 1024


@dataclass
class Outcome:
    """What came of one attack."""
    did: str
    is_alive: bool
    growth_mib: float
    served_after: float  # seconds; None: not in time
    calm_p99_us: float   # None: not to be had
    p99_us: float
    failed_calls: int    # of the well-behaved client


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


class SteadyClient:
    """h2load, which makes one call after the other at a steady pace over one connection, and notes how long each took."""

    def __init__(self, port, scratch):
        self.log = scratch / "steady.tsv"
        self.log.unlink(missing_ok=True)
        body = scratch / "empty"
        body.write_bytes(message())
        self.process = None
        if not shutil.which("h2load"):
            return
        self.process = subprocess.Popen(
            ["h2load", "-t1", "-c1", "-m1", f"--rps={CALLS_A_SECOND}", "--duration=600", f"--log-file={self.log}", "-d", str(body),
             "-H", "content-type: application/grpc", "-H", "te: trailers",
             f"http://127.0.0.1:{port}/grpc.testing.TestService/EmptyCall"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def calls(self):
        """(start in microseconds, status, duration in microseconds) of every call that is over."""
        if not self.log.exists():
            return []
        whole, _, _ = self.log.read_text().rpartition("\n")  # the last line may be on its way
        lines = (line.split("\t") for line in whole.splitlines())
        return [(int(start), int(status), int(duration)) for start, status, duration in lines]

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()


def resident_mib(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / MIB
    except OSError:
        pass
    return 0.0


class MemoryWatch(threading.Thread):
    """The most that a process has resident while this runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.before = self.peak = self.now()
        self.over = threading.Event()
        self.start()

    def now(self):
        return resident_mib(self.pid)

    def run(self):
        while not self.over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self.now())

    def growth(self):
        self.over.set()
        self.join()
        return max(self.peak, self.now()) - self.before


class Server:
    """interop_server on an engine, with a limit of descriptors if one is wanted."""

    def __init__(self, binaries, transport, scratch, descriptors=None, settings=()):
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.log = scratch / "server.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([binaries / "interop_server", f"--transport={transport}", *settings], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=limit)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            if "no such transport" in self.last_words():
                raise Skipped("not in this build")
            raise Failed(f"the server does not start: {self.last_words()}")
        self.port = int(line)

    def last_words(self):
        return self.log.read_text(errors="replace")[-300:].strip()

    def is_alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        return self.process.returncode


def seconds_until_served(server):
    """None when it is not in time."""
    begin = time.monotonic()
    while server.is_alive() and time.monotonic() < begin + AFTERWARDS_SECONDS:
        if is_served(server.port, AFTERWARDS_SECONDS):
            return time.monotonic() - begin
        time.sleep(0.05)
    return None


def attack(server, name, sizes, scratch):
    steady = SteadyClient(server.port, scratch)
    try:
        if steady.process:
            wait_for("the first call", lambda: len(steady.calls()) > 10 or not steady.is_running(), 30)
        time.sleep(min(sizes.slow_seconds, CALM_SECONDS))
        watch = MemoryWatch(server.process.pid)
        begin = time.time_ns() // 1000
        did = hostile.ATTACKS[name](server.port, sizes)
        end = time.time_ns() // 1000
        growth = watch.growth()
        served_after = seconds_until_served(server)
        calls = steady.calls()
    finally:
        steady.stop()
    during = [one for one in calls if begin <= one[0] <= end]
    return Outcome(did, server.is_alive(), growth, served_after,
                   percentile([one[2] for one in calls if one[0] < begin], 0.99),
                   percentile([one[2] for one in during], 0.99), sum(one[1] != 200 for one in during))


def besiege(binaries, transport, name, sizes, scratch):
    """One attack on a fresh server; (outcome, its exit code)."""
    server = Server(binaries, transport, scratch, hostile.DESCRIPTORS if name == "descriptor exhaustion" else None)
    try:
        outcome = attack(server, name, sizes, scratch)
    finally:
        code = server.stop()
    return outcome, code


def make_calls(client, first):
    """Ten calls at once; whether all are answered."""
    client.send(b"".join(call(stream, b"EmptyCall") for stream in range(first, first + 20, 2)))
    answered = 0
    while answered < 10:
        kind, _, stream, _ = client.next_frame()
        if kind == DATA and stream >= first:
            answered += 1
    return True


def crowd(binaries, scratch, count):
    """A server that was told to take so many connections of one address: (how many it served, KB each idle, KB each after calls)."""
    server = Server(binaries, "h2", scratch, settings=(f"--max-connections-per-address={count}", "--max-address-memory=1g"))
    clients = []
    try:
        is_served(server.port, AFTERWARDS_SECONDS)
        before = resident_mib(server.process.pid)
        for _ in range(count):
            clients.append(Connection(server.port, hostile.STRANGER))
        for client in clients:
            client.next_frame()
        idle = resident_mib(server.process.pid) - before
        served = 0
        for client in clients:
            try:
                served += make_calls(client, 1)
            except Gone:
                pass
        busy = resident_mib(server.process.pid) - before
    except Gone as reason:
        raise Failed(f"connection {len(clients) + 1} of {count}: {reason}") from None
    finally:
        for client in clients:
            client.close()
        server.stop()
    return served, idle * MIB / count, busy * MIB / count
