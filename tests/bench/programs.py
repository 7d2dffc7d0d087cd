"""Programs under measurement: starting and stopping them, their processor time and their memory."""
import json
import os
import random
import signal
import socket
import subprocess
import time

from figures import Unavailable

STOP_SECONDS = 40
GIVEN = set()  # ports, also of services that are not there at the moment and come back


def free_ports(count):
    """Ports that nobody listens on now, below those that the system gives to clients and those that shops of the command line take. No
    port is given twice."""
    ports = set()
    while len(ports) < count:
        port = random.SystemRandom().randrange(10000, 20000)
        if port in GIVEN:
            continue
        GIVEN.add(port)
        with socket.socket() as item:
            item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                item.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.add(port)
    return list(ports)


def free_base_port(count, distance):
    """A port P so that P … P + count - 1, and the same `distance` higher, are free; where it looks first is chance, for others look
    at the same moment."""
    bases = range(21001, 32000, 10)
    for base in random.sample(bases, len(bases)):
        wanted = [base + i + far for i in range(count) for far in (0, distance)]
        sockets = [socket.socket() for _ in wanted]
        try:
            for item, port in zip(sockets, wanted):
                item.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for item in sockets:
                item.close()
    raise Unavailable("no free ports")


class Program:
    """A running program whose first line of output, when wanted, is JSON."""

    def __init__(self, path, *arguments, says_hello=True, log=None, environment=None):
        if not os.path.exists(path):
            raise Unavailable(f"{os.path.basename(path)} is not built")
        self.name = os.path.basename(path)
        self.process = subprocess.Popen([path, *arguments], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE if says_hello else log or subprocess.DEVNULL,
                                        stderr=log, env=environment)
        self.hello = self.read_json() if says_hello else {}

    def read_json(self):
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except ValueError:
            self.process.wait(STOP_SECONDS)
            raise Unavailable(f"{self.name} ended with code {self.process.returncode} and said {line!r}") from None

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self):
        """Waits for the end, which must be a good one."""
        code = self.process.wait()
        if code:
            raise Unavailable(f"{self.name} ended with code {code}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()

    def cpu_seconds(self):
        """Of all its threads, to the nanosecond: the clock behind clock_getcpuclockid(3)."""
        scheduler_clock = 2
        return time.clock_gettime(~self.process.pid << 3 | scheduler_clock)

    def memory_mb(self):
        """Resident now."""
        return self._kilobytes("status", "VmRSS:") / 1024

    def peak_memory_mb(self):
        """The most that was ever resident."""
        return self._kilobytes("status", "VmHWM:") / 1024

    def memory_share_mb(self):
        """Resident now; pages that it shares with other programs count in part."""
        return self._kilobytes("smaps_rollup", "Pss:") / 1024

    def _kilobytes(self, file, label):
        with open(f"/proc/{self.process.pid}/{file}", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(label))


def run_json(path, *arguments):
    """Runs a program to its end; its last line as JSON."""
    if not os.path.exists(path):
        raise Unavailable(f"{os.path.basename(path)} is not built")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{os.path.basename(path)} ended with code {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.splitlines()[-1])
