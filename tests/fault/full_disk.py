"""The disk under the embedded store is full, and is not any more."""
import os
import subprocess
import time

from client import Refused
from evidence import gaps, read_log, settle
from report import Failed, Skipped

DISK_MB = 12
BALLAST_BYTES = 2 * 1024 * 1024
MAX_CUSTOMERS = 2000
BACK_SECONDS = 5


class Disk:
    """A file system of few megabytes."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skipped("only root may mount a small disk")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", self.folder],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skipped(f"no small disk can be mounted: {done.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], capture_output=True, check=False)


def create(shop, number):
    name = f"full-{number}"
    answer = shop.ask("CustomerService/CreateCustomer", {"request_id": name, "customer": {
        "display_name": name, "attributes": {f"note-{i}": "x" * 1000 for i in range(40)}}})
    return answer["name"], name


def fill(shop, kept):
    """Until there is no room; the refusal."""
    for number in range(MAX_CUSTOMERS):
        try:
            name, display_name = create(shop, number)
            kept[name] = display_name
        except Refused as error:
            return error
    raise Failed("the disk does not become full")


def full_disk(scene, what):
    report = scene.report
    with Disk(scene.scratch / "disk") as disk:
        ballast = disk.folder / "ballast"
        ballast.write_bytes(os.urandom(BALLAST_BYTES))
        with scene.shop(what, names=("identity",), store_uri=f"embedded:{disk.folder}") as shop:
            kept = {}
            error = fill(shop, kept)
            report.check(f"{what}: enough was written before", len(kept) >= 20, len(kept))
            report.check(f"{what}: a write is RESOURCE_EXHAUSTED", error.code == "RESOURCE_EXHAUSTED", error)
            codes = set()
            for number in range(MAX_CUSTOMERS, MAX_CUSTOMERS + 20):
                try:
                    name, display_name = create(shop, number)
                    kept[name] = display_name
                except Refused as refusal:
                    codes.add(refusal.code)
            report.check(f"{what}: so are those that follow", codes == {"RESOURCE_EXHAUSTED"}, codes)
            for name, display_name in list(kept.items())[::10]:
                answer = shop.ask("CustomerService/GetCustomer", {"name": name})
                report.check(f"{what}: {name} is read", answer["display_name"] == display_name)
            ballast.unlink()
            start = time.monotonic()
            while True:
                try:
                    name, display_name = create(shop, 2 * MAX_CUSTOMERS)
                    break
                except Refused as refusal:
                    if time.monotonic() - start > BACK_SECONDS:
                        raise Failed(f"writes are not back {BACK_SECONDS} s after there is room: {refusal}") from None
                    time.sleep(0.02)
            kept[name] = display_name
            report.note(f"{what}: {len(kept)} customers kept; writes are back {time.monotonic() - start:.2f} s after there is room")
            check_kept(report, f"{what}, before a restart", shop, kept)
            report.check(f"{what}: it stops with 0", shop.stop() == {"identity": 0})
            shop.start()
            check_kept(report, f"{what}, after a restart", shop, kept)
            settle(shop)
            events = read_log(shop, "identity")
            report.check(f"{what}: the log has neither gap nor double", not gaps(events), gaps(events)[:5])
            told = {event["aggregate"] for event in events}
            report.check(f"{what}: every customer has its event", set(kept) <= told, len(set(kept) - told))


def check_kept(report, what, shop, kept):
    there = {customer["name"]: customer.get("display_name", "")
             for customer in shop.pages("CustomerService/ListCustomers", {}, "customers")}
    report.check(f"{what}: exactly what was acknowledged is there", there == kept,
                 f"{len(set(kept) - set(there))} lost, {len(set(there) - set(kept))} never acknowledged")


CASES = {"full disk": full_disk}
