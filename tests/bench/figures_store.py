"""store.* and cart.add_*: durable writes, against plain SQLite and against the bare store."""
import os
import re
import statistics
import subprocess
from dataclasses import dataclass

from cart_calls import CALLERS, Added, add_lines
from figures import Unavailable, figure, median_pair, median_ratio, shared
from programs import run_json

DOCUMENT_BYTES = 735  # a cart of five lines, as the store keeps it
KILL_SECONDS = 1800


@dataclass
class Written:
    per_second: float
    per_sync: float
    cpu_us: float


def write(bench, writes, *flags):
    done = run_json(bench.binaries / "bench/store_load", f"--folder={bench.folder()}", f"--threads={CALLERS}",
                    f"--bytes={DOCUMENT_BYTES}", f"--writes={writes}", *flags)
    return Written(done["writes"] / done["seconds"], done["writes"] / done["syncs"],
                   done["cpu_seconds"] / done["writes"] * 1e6)


@shared
def bare_writes(bench):
    """Rounds of (store, plain SQLite)."""
    return [(write(bench, bench.sizes.store_writes), write(bench, bench.sizes.plain_writes, "--plain"))
            for _ in range(bench.sizes.rounds)]


@dataclass
class Round:
    cart: Added
    plain: Written
    store: Written


@shared
def cart_rounds(bench):
    shop = bench.shop
    add_lines(bench, shop, CALLERS)
    return [Round(add_lines(bench, shop, bench.sizes.adds), write(bench, bench.sizes.plain_writes, "--plain"),
                  write(bench, bench.sizes.store_writes)) for _ in range(bench.sizes.rounds)]


@figure("store.writes_per_sync", "1", ">= 20")
def writes_per_sync(bench):
    """The baseline is plain SQLite, which syncs every write."""
    return statistics.median(store.per_sync for store, _ in bare_writes(bench)), 1


@figure("store.write_ratio", "ratio")
def write_ratio(bench):
    """The store alone, without a service before it."""
    return median_ratio((store.per_second, plain.per_second) for store, plain in bare_writes(bench))


@figure("store.write_cpu_us", "µs")
def write_cpu(bench):
    return median_pair((store.cpu_us, plain.cpu_us) for store, plain in bare_writes(bench))


@figure("store.durable_write_ratio", "ratio", ">= 8")
def durable_write_ratio(bench):
    return median_ratio((each.cart.per_second, each.plain.per_second) for each in cart_rounds(bench))


@figure("cart.add_item_cpu_ratio", "ratio", "<= 2")
def add_item_cpu_ratio(bench):
    return median_ratio((each.cart.cpu_us, each.store.cpu_us) for each in cart_rounds(bench))


@figure("cart.add_line_per_second", "1/s")
def add_line_per_second(bench):
    return median_pair((each.cart.per_second, each.plain.per_second) for each in cart_rounds(bench))


@figure("cart.add_line_cpu_us", "µs")
def add_line_cpu(bench):
    return median_pair((each.cart.cpu_us, each.store.cpu_us) for each in cart_rounds(bench))


@figure("cart.add_line_client_cpu_us", "µs")
def add_line_client_cpu(bench):
    """What the callers themselves take of the same cores."""
    return statistics.median(each.cart.client_cpu_us for each in cart_rounds(bench))


@figure("store.kill_lost", "1", "= 0")
def kill_lost(bench):
    """Read from the durability test, which kills a writing process again and again."""
    program = bench.binaries / "tests/durability_test"
    if not program.exists():
        raise Unavailable("durability_test is not built")
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=KILL_SECONDS,
                          env=os.environ | {"THROUGHLINE_QUICK": "1" if bench.sizes.is_smoke else "0"})
    lost = re.search(r"rounds, .* (\d+) lost", done.stdout)
    if not lost or (done.returncode and lost.group(1) == "0"):
        raise Unavailable(f"durability_test ended with code {done.returncode}: {done.stdout.strip()[-300:]}")
    return int(lost.group(1))
