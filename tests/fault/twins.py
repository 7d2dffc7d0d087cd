"""One change sent by many clients at the same moment, under one request id: it is done once, and they all get the same answer."""
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

from changes import Changes
from evidence import read_log, settle
from load import CURRENCY, skus
from outages import refused
from replies import SILENT, effects_of

TWINS = 64


def send_all(shop, pool, change, request, trace):
    """What each of them gets: bytes or a refusal."""
    start = threading.Barrier(TWINS)
    client = shop.clients[shop.api.package(change.method)]

    def send(_):
        answers = []
        start.wait()
        error, _ = refused(lambda: answers.append(client.bytes(change.method, request, change.actor, trace=trace, timeout=30)))
        return error or answers[0]
    return list(pool.map(send, range(TWINS)))


def is_told_to_try_again(answer):
    """So many claims of a code at once look like somebody who guesses: they are counted before the code is looked at."""
    return not isinstance(answer, bytes) and (answer.code in ("ABORTED", "UNAVAILABLE") or answer.reason == "TOO_MANY_WRONG_CODES")


def twins(scene, what):
    report = scene.report
    rounds = report.size(1, 16)
    with scene.shop(what) as shop, ThreadPoolExecutor(TWINS) as pool:
        changes = Changes(shop, skus(shop, CURRENCY)[0], f"t{report.seed}")
        methods = list(Changes.MAKERS)
        if report.quick:
            methods = report.random(what).sample(methods, 20)
        traces, losers = [], 0
        for method in methods * rounds:
            plain, shared = secrets.token_hex(16), secrets.token_hex(16)
            change = changes.make(method)
            shop.ask(method, change.request | {"request_id": plain}, actor=change.actor, trace=plain)
            change = changes.make(method)
            request = shop.api.request(method, change.request | {"request_id": shared})
            answers = send_all(shop, pool, change, request, shared)
            given = {answer for answer in answers if isinstance(answer, bytes)}
            others = [answer for answer in answers if not isinstance(answer, bytes)]
            losers += len(others)
            report.check(f"{what}: {method}: one answer for all", len(given) == 1, f"{len(given)} answers, {others[:1]}")
            report.check(f"{what}: {method}: who gets none is told to try again", all(map(is_told_to_try_again, others)), others[:2])
            again = shop.clients[shop.api.package(method)].bytes(method, request, change.actor, trace=shared)
            report.check(f"{what}: {method}: and gets it then", again in given, shop.api.reply(method, again))
            traces.append((method, plain, shared))
        settle(shop)
        logs = {name: read_log(shop, name) for name in shop.processes}
        for method, plain, shared in traces:
            once, all_of_them = effects_of(logs, plain), effects_of(logs, shared)
            report.check(f"{what}: {method}: its effects are those of one call", once == all_of_them and (once or method in SILENT),
                         f"{all_of_them} instead of {once}")
        report.note(f"{what}: {len(traces)} changes, each by {TWINS} clients at once; {losers} were told to try again")


CASES = {"twins": twins}
