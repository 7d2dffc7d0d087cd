"""catalog.search_*: searches over many products, against SQLite's FTS5 with the same texts."""
from figures import figure, shared
from programs import run_json


@shared
def searched(bench):
    """Ours and FTS5's."""
    products, searches = (2000, 100) if bench.sizes.is_smoke else (100000, 2000)
    flags = (f"--products={products}", f"--searches={searches}")
    program = bench.binaries / "bench/search_load"
    return run_json(program, *flags), run_json(program, "--plain", *flags)


@figure("catalog.search_ms", "ms", "<= 2")
def search_ms(bench):
    """The median of two-word searches with six facets over 100,000 products; the baseline has no facets."""
    ours, plain = searched(bench)
    return ours["p50_ms"], plain["p50_ms"]


@figure("catalog.search_p99_ms", "ms")
def search_p99_ms(bench):
    ours, plain = searched(bench)
    return ours["p99_ms"], plain["p99_ms"]


@figure("catalog.search_memory_kib", "KiB")
def search_memory(bench):
    """Of the index, a product; FTS5's counts what SQLite has allocated for the same texts."""
    ours, plain = searched(bench)
    return ours["bytes_per_product"] / 1024, plain["bytes_per_product"] / 1024
