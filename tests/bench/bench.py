"""One run of the bench: how much is measured, where the programs are, and what figures have in common."""
import functools
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from figures import Unavailable, shared
from programs import Program
from shop import Shop, make_data

REST_SECONDS = 1.0
SETTLE_SECONDS = 0.1
SETTLED_SHARE = 0.05
SETTLE_LIMIT_SECONDS = 60


@dataclass(frozen=True)
class Sizes:
    rounds: int
    reads: int         # calls in a round
    adds: int          # durable AddLine calls in a round
    store_writes: int  # in a round, to the store
    plain_writes: int  # in a round, to plain SQLite
    growth: int        # calls before memory is looked at; ten times as many before it is looked at again
    counted: tuple = (2000, 6000)  # calls of two runs whose instructions are counted
    is_smoke: bool = False


SMOKE = Sizes(rounds=1, reads=300, adds=200, store_writes=300, plain_writes=100, growth=100, counted=(200, 600), is_smoke=True)
NORMAL = Sizes(rounds=5, reads=20000, adds=10000, store_writes=40000, plain_writes=3000, growth=10000)
LONG = Sizes(rounds=9, reads=100000, adds=50000, store_writes=200000, plain_writes=10000, growth=100000)


class Bench:
    """Everything lives in a scratch folder in the build folder, so that stores lie on a real disk."""

    def __init__(self, build, sizes):
        self.build = Path(build).resolve()
        self.binaries = self.build / "bin"
        self.sizes = sizes
        self.scratch = Path(tempfile.mkdtemp(prefix="bench-", dir=self.build))
        self.running = []

    def close(self):
        for program in reversed(self.running):
            program.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def folder(self):
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def keep(self, program):
        """Stopped at the end, whatever happens."""
        self.running.append(program)
        return program

    def program(self, name, *arguments, **options):
        return self.keep(Program(self.binaries / name, *arguments, **options))

    @functools.cached_property
    def echo(self):
        return self.program("echo_server")

    @functools.cached_property
    def bare(self):
        return self.program("bench/bare_server")

    def shop_on(self, store):
        return self.keep(Shop(self.binaries, prepared(self), store))

    def stocked_shop(self):
        """A fresh one with the demo's catalogue."""
        store = self.folder()
        shutil.copytree(prepared(self) / "store", store, dirs_exist_ok=True)
        return self.shop_on(store)

    @functools.cached_property
    def shop(self):
        return self.stocked_shop()


@shared
def prepared(bench):
    data = bench.folder()
    make_data(bench.binaries, data)
    return data


def settle(programs):
    """Until what a load left behind (events on their way) is done."""
    end = time.monotonic() + SETTLE_LIMIT_SECONDS
    while True:
        before = [program.cpu_seconds() for program in programs]
        time.sleep(SETTLE_SECONDS)
        used = sum(program.cpu_seconds() for program in programs) - sum(before)
        if used < SETTLE_SECONDS * SETTLED_SHARE * len(programs):
            return
        if time.monotonic() > end:
            raise Unavailable("the services do not come to rest")
