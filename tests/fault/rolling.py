"""Roll-outs: replicas that are restarted one after the other under calls from clients that do as `throughline service-config` says, and from
another service."""
import os
import shutil
import signal
import subprocess
import threading

import grpc

from client import Client
from load import CURRENCY, skus
from outages import new_cart, refused
from processes import Process
from report import wait_for

REPLICAS = 3
CALLERS = 4
READS = "ProductService/FindVariant"
PLAIN_READS = "ProductService/ListProducts"
FAILING_SHARE = 0.0001  # of calls that nobody tries again


class Caller(threading.Thread):
    """Asks until it is told to stop, each time once; what failed is kept."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self.ask = ask
        self.answered = 0
        self.failures = []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            error, _ = refused(lambda: self.ask(self.answered))
            self.answered += 1
            if error:
                self.failures.append(error)

    def finish(self):
        self.stopping.set()
        self.join(60)


class RoundRobin(Client):
    """Over all replicas, as gRPC itself does it with the config; without one it never tries again what a server may have seen."""

    def __init__(self, api, ports, token, config=None):  # pylint: disable=super-init-not-called
        self.api, self.token = api, token
        options = [("grpc.service_config", config or '{"loadBalancingConfig":[{"round_robin":{}}]}'), ("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel("ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports), options=options)
        self.channel.subscribe(lambda state: None)


def replicas_of_catalog(scene, shop, what):
    """Over copies of one store: none of what is asked here changes it."""
    shop.processes["catalog"].signal(signal.SIGTERM)
    shop.processes["catalog"].wait()
    made = []
    for i in range(REPLICAS):
        folder = scene.scratch / f"{what.replace(' ', '-')}-{i}"
        shutil.copytree(scene.scratch / what.replace(" ", "-"), folder)
        made.append(Process(scene.binaries, folder, "catalog", f"embedded:{folder}/store", shop.processes["cart"].targets))
        made[-1].start()
    for replica in made:
        replica.wait_ready()
    return made


def restart_with_other_target(shop, name, peer, target):
    """The process takes the peer from where it is told."""
    shop.kill(name)
    shop.processes[name].environment = {f"THROUGHLINE_{peer.upper()}_TARGET": target}
    shop.start(name)


def is_found(replica):
    """By both kinds of clients: when they look again for who was away is up to them."""
    return all(replica.metric('grpc_server_call_started_total{grpc_method="throughline.catalog.v1.' + method) > 0
               for method in (READS, PLAIN_READS))


def roll(report, what, replicas):
    """One after the other, each when all have calls."""
    codes = []
    for _ in range(report.size(2, 33)):
        for replica in replicas:
            wait_for("load", lambda: all(map(is_found, replicas)), 60)
            replica.signal(signal.SIGTERM)
            codes.append(replica.wait())
            replica.start()
            replica.wait_ready()
    report.check(f"{what}: every replica ends with 0, inside its grace", set(codes) == {0}, codes)


def rolling(scene, what):
    report = scene.report
    config = subprocess.run([scene.binaries / "throughline", "service-config"], capture_output=True, text=True, check=True,
                            env=os.environ).stdout
    with scene.shop(what, names=("identity", "catalog", "cart")) as shop:
        articles = skus(shop, CURRENCY)
        replicas = replicas_of_catalog(scene, shop, what)
        try:
            ports = [replica.port for replica in replicas]
            restart_with_other_target(shop, "cart", "catalog", "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports))
            with_config, without = (RoundRobin(scene.api, ports, shop.token, text) for text in (config, None))
            carts = [new_cart(shop, f"customers/rolling-{i}") for i in range(CALLERS)]

            def read(i):
                with_config.ask(READS, {"sku": articles[i % len(articles)]}, timeout=30)

            def read_plainly(_):
                without.ask(PLAIN_READS, {"page_size": 1}, timeout=30)

            def quote(number):
                def ask(i):
                    shop.ask("CartService/AddLine", {"cart": carts[number], "sku": articles[i % 3], "quantity": 1, "request_id": f"{number}-{i}"},
                             actor=f"customers/rolling-{number}", timeout=30)
                    shop.ask("CartService/QuoteCart", {"cart": carts[number]}, actor=f"customers/rolling-{number}", timeout=30)
                return ask
            readers = [Caller(read) for _ in range(CALLERS)]
            plain = Caller(read_plainly)
            carters = [Caller(quote(i)) for i in range(2)]
            callers = [*readers, plain, *carters]
            for caller in callers:
                caller.start()
            roll(report, what, replicas)
            for caller in callers:
                caller.finish()
            for kind, group in (("clients with the service config", readers), ("carts that ask the catalogue", carters)):
                failures = [failure for caller in group for failure in caller.failures]
                report.check(f"{what}: no call of {kind} fails", not failures, failures[:2])
            report.check(f"{what}: hardly a call fails that nobody tries again", len(plain.failures) <= plain.answered * FAILING_SHARE,
                         plain.failures[:3])
            report.note(f"{what}: {sum(c.answered for c in readers)} calls with the config, {plain.answered} without, of which "
                        f"{len(plain.failures)} failed, {sum(c.answered for c in carters)} quotes, none failed more, "
                        f"{report.size(2, 33) * REPLICAS} restarts")
            for client in (with_config, without):
                client.close()
        finally:
            for replica in replicas:
                if replica.is_running():
                    replica.kill()


CASES = {"rolling restart": rolling}
