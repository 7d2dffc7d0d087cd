"""run.*: how fast the services are ready and how much memory they take."""
import statistics
import time
from dataclasses import dataclass

from bench import REST_SECONDS, settle
from cart_calls import add_lines
from figures import figure, median_pair, median_ratio, shared
from shop import NAMES


@dataclass
class Start:
    """On an empty store."""
    ready_seconds: float
    memory: dict        # at rest, of each service
    bare_memory: float  # of the bare server
    share: float        # of all services together, their common pages counted once


@shared
def starts(bench):
    measured = []
    for _ in range(bench.sizes.rounds):
        shop = bench.shop_on(bench.folder())
        bare = bench.program("bench/bare_server")
        time.sleep(REST_SECONDS)
        memory = {name: service.memory_mb() for name, service in shop.services.items()}
        share = sum(service.memory_share_mb() for service in shop.services.values())
        measured.append(Start(shop.ready_seconds, memory, bare.memory_mb(), share))
        shop.stop()
        bare.stop()
    return measured


@figure("run.ready_seconds", "s", "<= 0.5")
def ready_seconds(bench):
    return statistics.median(start.ready_seconds for start in starts(bench))


@figure("run.memory_idle_ratio", "ratio", "<= 1.3")
def memory_idle_ratio(bench):
    return median_ratio((max(start.memory.values()), start.bare_memory) for start in starts(bench))


@figure("run.memory_idle_all_mb", "MB")
def memory_idle_all_mb(bench):
    return statistics.median(start.share for start in starts(bench))


def memory_idle_of(name):
    @figure(f"run.memory_idle_{name}_mb", "MB")
    def memory_idle_mb(bench):
        return median_pair((start.memory[name], start.bare_memory) for start in starts(bench))
    return memory_idle_mb


for service_name in NAMES:
    memory_idle_of(service_name)


@shared
def growths(bench):
    """(after ten times the calls, after the first calls) of a service that reads and of one that writes."""
    shop = bench.stocked_shop()
    catalog, cart = shop.services["catalog"], shop.services["cart"]
    read = shop.get_product()
    measured = {}

    read.call(bench.sizes.growth, bench.scratch)
    first = catalog.memory_mb()
    read.call(9 * bench.sizes.growth, bench.scratch)
    measured["read"] = (catalog.memory_mb(), first)

    add_lines(bench, shop, bench.sizes.growth)
    settle([cart])
    first = cart.memory_mb()
    add_lines(bench, shop, 9 * bench.sizes.growth)
    settle([cart])
    measured["write"] = (cart.memory_mb(), first)
    shop.stop()
    return measured


@figure("run.memory_growth_ratio", "ratio", "<= 1.05")
def memory_growth_ratio(bench):
    """Of the worse of the two."""
    return max((after / first, first) for after, first in growths(bench).values())


@figure("run.memory_growth_read_ratio", "ratio")
def memory_growth_read_ratio(bench):
    after, first = growths(bench)["read"]
    return after / first, first


@figure("run.memory_growth_write_ratio", "ratio")
def memory_growth_write_ratio(bench):
    after, first = growths(bench)["write"]
    return after / first, first
