"""SIGKILL of all five services at random moments under mixed writes."""
import time

from evidence import check_ledger, check_logs, check_timelines
from load import Shopper, World, acknowledged, check_writers, mixed, wait_for_acknowledgements

MAX_WAIT_SECONDS = 0.2
LOAD_BEFORE = 10  # acknowledgements between a start and the next kill


def killed_again_and_again(scene, what):
    report, random = scene.report, scene.report.random(what)
    rounds = report.size(4, 100, ci=10)
    with scene.shop(what) as shop:
        world = World(shop, f"k{report.seed}")
        writers = mixed(shop, world, report, what)
        ready = []
        for i in range(rounds):
            if not report.check(f"{what}: enough load before kill {i + 1}", wait_for_acknowledgements(writers, LOAD_BEFORE),
                                [writer.problem for writer in writers if writer.problem]):
                break
            time.sleep(random.uniform(0, MAX_WAIT_SECONDS))
            shop.kill()
            ready.append(shop.start())
        wait_for_acknowledgements(writers, LOAD_BEFORE)
        check_writers(report, what, writers)
        logs = check_logs(report, what, shop)
        check_timelines(report, what, shop, logs, [writer.customer for writer in writers])
        check_ledger(report, what, shop, sum(len(writer.orders) for writer in writers if isinstance(writer, Shopper)))
        report.note(f"{what}: {len(ready)} kills of five services, {acknowledged(writers)} acknowledged writes, "
                    f"{sum(map(len, logs.values()))} events; restart to ready {max(ready, default=0):.2f} s at most, "
                    f"{sum(ready) / max(1, len(ready)):.2f} s on average")


CASES = {"kill": killed_again_and_again}
