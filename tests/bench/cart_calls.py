"""Durable AddLine calls from 64 callers, each into its own cart."""
from dataclasses import dataclass

from bench import settle
from programs import Program

CALLERS = 64
CURRENCY = "EUR"
SKUS = 5


@dataclass
class Added:
    per_second: float
    cpu_us: float        # of cart and catalog together, per call, with the events they cause
    client_cpu_us: float


def add_lines(bench, shop, calls):
    servers = [shop.services["cart"], shop.services["catalog"]]
    load = Program(bench.binaries / "bench/cart_load", f"--target=localhost:{shop.ports['cart']}",
                   f"--token-file={shop.token_file('web')}", f"--skus={' '.join(shop.skus(CURRENCY, SKUS))}",
                   f"--currency={CURRENCY}", f"--callers={CALLERS}", f"--calls={calls}")
    try:
        settle(servers)
        before = sum(server.cpu_seconds() for server in servers)
        client_before = load.cpu_seconds()
        load.go_on()
        done = load.read_json()
        client_cpu = load.cpu_seconds() - client_before
        load.finish()
        settle(servers)
        cpu = sum(server.cpu_seconds() for server in servers) - before
    finally:
        load.stop()
    return Added(calls / done["seconds"], cpu / calls * 1e6, client_cpu / calls * 1e6)
