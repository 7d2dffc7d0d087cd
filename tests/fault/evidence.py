"""What can be proved afterwards: event logs without gaps, timelines that hold every event of their customer, a ledger that adds up."""
from collections import defaultdict

from report import Failed, wait_for

SETTLED_LOOKS = 20  # 10 ms apart: so long nothing may move
LOG_SECONDS = 30
TIMELINE_SECONDS = 20


def positions(shop, service):
    answer = shop.clients[service].ask("EventService/GetPositions", {})
    return {item.get("partition", 0): int(item.get("sequence", 0)) for item in answer.get("positions", [])}


def settle(shop):
    """Waits until no log grows any more."""
    looks = []

    def is_settled():
        looks.append([positions(shop, name) for name in shop.processes])
        return len(looks) > SETTLED_LOOKS and looks[-1] == looks[-SETTLED_LOOKS]
    wait_for("an end of events", is_settled, LOG_SECONDS)


def read_log(shop, service):
    """Every event of a service up to now, in the order of each partition."""
    wanted = {partition: last for partition, last in positions(shop, service).items() if last}
    events = []
    if not wanted:
        return events
    for answer in shop.clients[service].stream("EventService/Subscribe", {}, timeout=LOG_SECONDS):
        if "event" in answer:
            events.append(answer["event"])
        position = answer["position"]
        partition = position.get("partition", 0)
        if int(position["sequence"]) >= wanted.get(partition, 0):
            wanted.pop(partition, None)
        if not wanted:
            return events
    raise Failed(f"the log of {service} ends before {wanted}")


def gaps(events):
    """What is missing or double in one service's log, in words."""
    found = []
    partitions, aggregates, names = defaultdict(list), defaultdict(list), set()
    for event in events:
        partitions[event.get("partition", 0)].append(int(event["sequence"]))
        aggregates[event["aggregate"]].append(int(event["aggregate_sequence"]))
        if event["name"] in names:
            found.append(f"{event['name']} twice")
        names.add(event["name"])
    for what, sequences in [*partitions.items(), *aggregates.items()]:
        if sequences != list(range(1, len(sequences) + 1)):
            odd = next(i for i, sequence in enumerate(sequences) if sequence != i + 1)
            found.append(f"{what}: {sequences[max(0, odd - 2):odd + 3]} at place {odd + 1} of {len(sequences)}")
    return found


def check_logs(report, what, shop):
    """Settles, reads all logs, checks them; returns them by service."""
    settle(shop)
    logs = {name: read_log(shop, name) for name in shop.processes}
    for name, events in logs.items():
        report.check(f"{what}: the log of {name} has neither gap nor double", not gaps(events), gaps(events)[:5])
    return logs


def check_timelines(report, what, shop, logs, customers):
    """Each customer's timeline is exactly the events of all logs that name them."""
    told = defaultdict(set)
    for source, events in logs.items():
        for event in events:
            told[event.get("customer", "")].add((source, event["aggregate"], event["aggregate_sequence"]))
    for customer in customers:
        seen = []

        def is_complete():
            entries = list(shop.pages("CustomerService/ListTimeline", {"customer": customer}, "entries"))
            seen[:] = [(entry["source"], entry["aggregate"], entry["aggregate_sequence"]) for entry in entries]
            return set(seen) == told[customer]
        try:
            wait_for("the timeline", is_complete, TIMELINE_SECONDS)
            report.check(f"{what}: the timeline of {customer} has nothing twice", len(seen) == len(set(seen)))
        except Failed:
            missing, more = told[customer] - set(seen), set(seen) - told[customer]
            report.check(f"{what}: the timeline of {customer} is complete", False,
                         f"{len(missing)} of {len(told[customer])} missing, {len(more)} too many: "
                         f"{sorted(missing)[:3]} {sorted(more)[:3]}")


def check_ledger(report, what, shop, orders):
    """The ledger has so many orders and no finding."""
    count, findings, after = 0, [], ""
    while True:
        answer = shop.ask("OrderService/VerifyLedger", {"after": after})
        count += int(answer.get("orders", 0))
        findings += answer.get("findings", [])
        after = answer.get("next", "")
        if not after:
            break
    report.check(f"{what}: the ledger has no finding", not findings, findings[:3])
    report.check(f"{what}: the ledger has every order once", count == orders, f"{count} orders, {orders} acknowledged")
