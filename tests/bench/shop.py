"""The five services of a shop on this machine, over an embedded store."""
import http.client
import json
import os
import subprocess
import time

from figures import Unavailable
from programs import Program, free_base_port, free_ports
from unary import Method, text_field

NAMES = ("identity", "catalog", "cart", "feedback", "notification")
ADMIN_DISTANCE = 100
READY_SECONDS = 60


def is_ready(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Shop:
    """Starts with the keys, tokens and accounts of a data folder that `throughline up` has made."""

    def __init__(self, binaries, data, store):
        self.binaries = binaries
        self.data = data
        ports = free_ports(2 * len(NAMES))
        self.ports = dict(zip(NAMES, ports))
        self.admin_ports = dict(zip(NAMES, ports[len(NAMES):]))
        self.log = open(data / "bench.log", "a", encoding="utf-8")
        self.services = {}
        start = time.monotonic()
        try:
            for name in NAMES:
                self.services[name] = self._start(name, store)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.ready_seconds = time.monotonic() - start

    def _start(self, name, store):
        flags = {"address": "127.0.0.1", "port": self.ports[name], "admin-port": self.admin_ports[name],
                 "store-uri": f"embedded:{store}", "log-level": "warn",
                 "token-keys": self.data / "keys/public.jwks", "token-file": self.data / f"tokens/{name}.token"}
        if name == "identity":
            flags["token-signing-key"] = self.data / "keys/signing.jwk"
        targets = {f"THROUGHLINE_{peer.upper()}_TARGET": f"localhost:{port}" for peer, port in self.ports.items()}
        return Program(self.binaries / name, *(f"--{flag}={value}" for flag, value in flags.items()),
                       says_hello=False, log=self.log, environment=os.environ | targets)

    def _wait_until_ready(self):
        end = time.monotonic() + READY_SECONDS
        for name, service in self.services.items():
            while not is_ready(self.admin_ports[name]):
                if service.process.poll() is not None or time.monotonic() > end:
                    log = (self.data / "bench.log").read_text(encoding="utf-8")
                    raise Unavailable(f"{name} does not become ready: {log.strip()[-300:]}")
                time.sleep(0.001)

    def stop(self):
        for service in self.services.values():
            if service.process.poll() is None:
                service.process.terminate()
        for service in self.services.values():
            service.stop()
        self.log.close()

    def token_file(self, account):
        return self.data / f"tokens/{account}.token"

    def method(self, service, path, message, account="web"):
        headers = {"authorization": f"Bearer {self.token_file(account).read_text().strip()}"}
        return Method(self.ports[service], path, message, headers)

    def call(self, service, method, request, account="web"):
        """One call by the project's own client, JSON in and out."""
        done = subprocess.run(
            [self.binaries / "throughline", "call", service, method, json.dumps(request),
             f"--{service}-target=localhost:{self.ports[service]}", f"--token-file={self.token_file(account)}",
             "--actor=anonymous/bench"],
            capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"{service} {method}: {done.stderr.strip()[-300:]}")
        return json.loads(done.stdout)

    def get_product(self):
        """GetProduct of a product in the middle of the demo's catalogue, seen to be there."""
        products = self.call("catalog", "ListProducts", {"pageSize": 500}).get("products", [])
        if not products:
            raise Unavailable("the catalogue is empty")
        name = products[len(products) // 2]["name"]
        if not self.call("catalog", "GetProduct", {"name": name}).get("title"):
            raise Unavailable(f"{name} has no title")
        return self.method("catalog", "/throughline.catalog.v1.ProductService/GetProduct", text_field(1, name))

    def skus(self, currency, count):
        """Of variants with a price in that currency."""
        products = self.call("catalog", "ListProducts", {"pageSize": 500}).get("products", [])
        found = [variant["sku"] for product in products for variant in product["variants"]
                 if any(price["amount"].get("currencyCode") == currency for price in variant.get("prices", []))]
        if len(found) < count:
            raise Unavailable(f"the catalogue has {len(found)} variants with a price in {currency}")
        return found[:count]


def make_data(binaries, data):
    """Keys, accounts, tokens and the demo's catalogue, by the command that users type."""
    program = binaries / "throughline"
    if not os.path.exists(program):
        raise Unavailable("throughline is not built")
    base = free_base_port(len(NAMES), ADMIN_DISTANCE)
    up = subprocess.Popen([program, "up", f"--data={data}", f"--base-port={base}", "--log-level=warn"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    for line in up.stdout:
        said += line
        if line.startswith("Serving"):
            up.terminate()
    if up.wait() or "Serving" not in said:
        raise Unavailable(f"throughline up: {said.strip()[-300:]}")
