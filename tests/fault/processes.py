"""Services as processes: started, killed, stopped, started again over the same store and on the same ports."""
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

from client import Client, Refused  # noqa: E402
from programs import free_ports  # noqa: E402
from report import Failed, wait_for  # noqa: E402
from shop import NAMES, is_ready  # noqa: E402

READY_SECONDS = 60
STOP_SECONDS = 40


class Process:
    """One service. `targets` says where its peers are."""

    def __init__(self, binaries, data, name, store_uri, targets):
        self.name = name
        self.port, self.admin_port = free_ports(2)
        self.targets = targets
        self.log = data / f"logs/{name}-{self.port}.log"
        self.command = [str(binaries / name), "--address=127.0.0.1", f"--port={self.port}",
                        f"--admin-port={self.admin_port}", f"--store-uri={store_uri}", "--log-level=warn",
                        f"--token-keys={data}/keys/public.jwks", f"--token-file={data}/tokens/{name}.token"]
        if name == "identity":
            self.command.append(f"--token-signing-key={data}/keys/signing.jwk")
        self.environment = {}  # besides ours
        self.process = None

    def start(self):
        targets = {f"THROUGHLINE_{peer.upper()}_TARGET": f"127.0.0.1:{port}" for peer, port in self.targets.items()}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=os.environ | targets | self.environment)

    def wait_ready(self):
        end = time.monotonic() + READY_SECONDS
        while not is_ready(self.admin_port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"{self.name} does not become ready, code {self.process.poll()}: {self.last_words()}")
            time.sleep(0.002)

    def last_words(self):
        return self.log.read_text(errors="replace")[-300:].strip()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait(self):
        """The exit code, soon after SIGTERM."""
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self.name} does not stop within {STOP_SECONDS} s") from None

    def metric(self, series):
        """The sum of the series that begin so."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=20) as page:
            return sum(float(line.split()[-1]) for line in page.read().decode().splitlines() if line.startswith(series))

    def is_running(self):
        return self.process is not None and self.process.poll() is None


class Shop:
    """The five services, or some of them, over the data folder's embedded store or another."""

    def __init__(self, api, binaries, data, names=NAMES, store_uri=None):
        self.api = api
        targets = {}
        self.processes = {name: Process(binaries, data, name, store_uri or f"embedded:{data}/store", targets)
                          for name in names}
        targets |= {name: process.port for name, process in self.processes.items()}
        token = (data / "tokens/admin.token").read_text().strip()
        self.clients = {name: Client(api, process.port, token) for name, process in self.processes.items()}
        self.token = token

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for client in self.clients.values():
            client.close()
        for process in self.processes.values():
            if process.is_running():
                process.signal(signal.SIGCONT)
                process.kill()

    def start(self, *names):
        """Returns how long it took until all were ready."""
        begin = time.monotonic()
        for name in names or self.processes:
            self.processes[name].start()
        for name in names or self.processes:
            self.processes[name].wait_ready()
        seconds = time.monotonic() - begin
        for name in names or self.processes:
            self.clients[name].wait_connected(READY_SECONDS)
        return seconds

    def kill(self, *names):
        chosen = [self.processes[name] for name in names or self.processes]
        for process in chosen:
            process.signal(signal.SIGKILL)
        for process in chosen:
            process.process.wait()

    def stop(self):
        """SIGTERM to all at once; their exit codes."""
        for process in self.processes.values():
            process.signal(signal.SIGTERM)
        return {name: process.wait() for name, process in self.processes.items()}

    def ask(self, method, request, **how):
        return self.clients[self.api.package(method)].ask(method, request, **how)

    def insist(self, method, request, seconds=30, **how):
        """The same request again and again until it is answered; anything but a passing failure is raised."""
        def try_once():
            try:
                return [self.ask(method, request, **how)]
            except Refused as error:
                if not error.is_passing and error.code != "ABORTED":
                    raise
                time.sleep(0.02)
                return None
        return wait_for(f"an answer to {method}", try_once, seconds)[0]

    def pages(self, method, request, items, **how):
        """All items of a list method."""
        token = ""
        while True:
            page = self.ask(method, request | {"page_size": 500, "page_token": token}, **how)
            yield from page.get(items, [])
            token = page.get("next_page_token", "")
            if not token:
                return
