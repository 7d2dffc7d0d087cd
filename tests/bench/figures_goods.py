"""catalog.import_ratio, catalog.memory_per_sku_kib, catalog.oversold: products in bulk, and the last pieces."""
import json
import subprocess
from pathlib import Path

from figures import Unavailable, figure, median_ratio, shared
from programs import run_json

MONGO_SERVER = Path(__file__).resolve().parent.parent / "support/mongo_server"
CANNOT = 77


def load(bench, mode, *flags):
    return run_json(bench.binaries / "bench/goods_load", f"--mode={mode}", *flags)


def per_second(done):
    return done["products"] / done["seconds"]


@shared
def imports(bench):
    """Rounds of (products a second through the service, rows a second into plain SQLite)."""
    products = 2000 if bench.sizes.is_smoke else 100000
    return [(per_second(load(bench, "import", f"--products={products}", f"--store-uri=embedded:{bench.folder()}")),
             per_second(load(bench, "plain", f"--products={products}", f"--store-uri={bench.folder()}")))
            for _ in range(min(bench.sizes.rounds, 3))]


@figure("catalog.import_ratio", "ratio", ">= 0.2")
def import_ratio(bench):
    """One import stream over gRPC into the embedded store; plain SQLite takes the same bytes in batches of 1,000."""
    return median_ratio(imports(bench))


@figure("catalog.import_per_second", "1/s", ">= 20000")
def import_per_second(bench):
    ours, plain = zip(*imports(bench))
    return max(ours), max(plain)


@figure("catalog.memory_per_sku_kib", "KiB", "<= 1.5")
def memory_per_sku(bench):
    """Of the snapshot, at 100,000 SKUs; the baseline is what the products themselves have in wire form."""
    done = load(bench, "snapshot", f"--products={2000 if bench.sizes.is_smoke else 100000}")
    return done["bytes_per_sku"] / 1024, done["packed_per_sku"] / 1024


def rush_over_mongo(bench):
    """None where there is no server of MongoDB's protocol."""
    script = f'exec "{bench.binaries}/bench/goods_load" --mode=rush --store-uri="$THROUGHLINE_TEST_MONGO_URI"'
    done = subprocess.run([MONGO_SERVER, "bash", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == CANNOT:
        return None
    if done.returncode:
        raise Unavailable(f"goods_load ended with code {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.splitlines()[-1])


@figure("catalog.oversold", "1", "= 0")
def oversold(bench):
    """64 callers on the last 10 pieces, on both engines; the baseline is how many pieces there were on those that ran."""
    rushes = [load(bench, "rush", f"--store-uri=embedded:{bench.folder()}")]
    over_mongo = None if bench.sizes.is_smoke else rush_over_mongo(bench)
    if over_mongo:
        rushes.append(over_mongo)
    return sum(abs(rush["sold"] - rush["pieces"]) for rush in rushes), sum(rush["pieces"] for rush in rushes)
