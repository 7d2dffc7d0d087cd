"""What the fault tests share: counting, seeds, sizes."""
import os
import random
import threading
import time


class Failed(Exception):
    """The case cannot go on."""


class Skipped(Exception):
    """The case cannot run here; says why."""


class Report:
    """Counts checks of all cases, from any thread."""

    def __init__(self, seed, quick):
        self.seed = seed
        self.quick = quick
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()

    def check(self, what, is_so, seen=""):
        with self.lock:
            if is_so:
                self.passed += 1
            else:
                self.failed += 1
                print(f"  FAILED {what}: {str(seen)[:600]}", flush=True)
        return is_so

    def skip(self, what, reason):
        with self.lock:
            self.skipped += 1
            print(f"  skipped {what}: {reason}", flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    def random(self, name):
        """The same numbers for the same seed, whatever else runs."""
        return random.Random(f"{self.seed} {name}")

    def size(self, quick, whole, ci=None):
        """`ci`: where CI does more than the quick run."""
        if not self.quick:
            return whole
        return ci if ci is not None and os.environ.get("THROUGHLINE_CI") == "1" else quick


def wait_for(what, is_so, seconds=15.0):
    """The first true answer; what does not come in time is a failure of the case."""
    end = time.monotonic() + seconds
    while True:
        answer = is_so()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"{what} does not come within {seconds} s")
        time.sleep(0.01)
