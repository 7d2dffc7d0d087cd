"""run.*: how fast the services are ready and how much memory they take."""
import statistics
import time

from bench import REST_SECONDS, settle
from figures import figure, shared
from shop import NAMES
from cart_calls import add_lines


@shared
def starts(bench):
    """Per start on an empty store: seconds until ready, memory of each service at rest, memory of the bare server."""
    measured = []
    for _ in range(bench.sizes.rounds):
        shop = bench.shop_on(bench.folder())
        bare = bench.program("bench/bare_server")
        time.sleep(REST_SECONDS)
        memory = {name: service.memory_mb() for name, service in shop.services.items()}
        measured.append((shop.ready_seconds, memory, bare.memory_mb()))
        shop.stop()
        bare.stop()
    return measured


@figure("run.ready_seconds", "s", "<= 0.5")
def ready_seconds(bench):
    return statistics.median(seconds for seconds, _, _ in starts(bench))


@figure("run.memory_idle_ratio", "ratio", "<= 1.3")
def memory_idle_ratio(bench):
    ratio = statistics.median(max(memory.values()) / bare for _, memory, bare in starts(bench))
    return ratio, statistics.median(bare for _, _, bare in starts(bench))


def memory_idle_of(name):
    @figure(f"run.memory_idle_{name}_mb", "MB")
    def memory_idle_mb(bench):
        return (statistics.median(memory[name] for _, memory, _ in starts(bench)),
                statistics.median(bare for _, _, bare in starts(bench)))
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
