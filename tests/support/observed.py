"""Looks at the metrics and the logs of five services that run: observed.py BASE_PORT DATA TRACE_ID. One line a check: ok …, FAILED …, skipped …"""
import json
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import grpc

NAMES = ["identity", "catalog", "cart", "feedback", "notification"]
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-z_]+="[^"\\\n]*",?)*\})? (-?[0-9.e+-]+|\+Inf|NaN)$')
PERSONAL = ["ada@example", "+49", "Bearer ", "eyJ", "stranger-in-a-log"]
STRANGERS = 300


def check(what, is_so, why=""):
    print(f"ok {what}" if is_so else f"FAILED {what}: {why}", flush=True)


def page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port + 100}/metrics", timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def family_of(name, kinds):
    for suffix in ("_bucket", "_sum", "_count"):
        base = name[:-len(suffix)] if name.endswith(suffix) else None
        if kinds.get(base) == "histogram":
            return base
    return name


def problems(text):
    """What Prometheus, or its linter, would say."""
    kinds, helped, counts, found = {}, set(), {}, []
    for line in text.splitlines():
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            helped.add(words[2])
        elif line.startswith("# TYPE "):
            if words[2] in kinds or words[2] not in helped:
                found.append(f"TYPE of {words[2]} comes twice or before its HELP")
            kinds[words[2]] = words[3]
            if (words[3] == "counter") != words[2].endswith("_total"):
                found.append(f"{words[2]} is a {words[3]}")
        elif not (match := SAMPLE.match(line)):
            found.append(f"no sample: {line}")
        else:
            name, labels, value = match.groups()
            if family_of(name, kinds) not in kinds:
                found.append(f"{name} has no TYPE")
            if (name, labels) in counts:
                found.append(f"{name}{labels} comes twice")
            counts[name, labels] = value
    return found


def series_of(text):
    return {line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")}


def call(port, method, metadata):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            channel.unary_unary(method)(b"", metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def strangers(port):
    """Each comes with a method, a channel and a trace of its own, none of which may become a label."""
    def one(first):
        for i in range(first, STRANGERS, 4):
            call(port, f"/stranger.v{i}.Service/Method{i}", [("throughline-channel", f'stranger-in-a-log "{i}\\'), ("traceparent", f'"{i}')])
    threads = [threading.Thread(target=one, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def look_at_metrics(base):
    for i, name in enumerate(NAMES):
        kind, text = page(base + i)
        check(f"{name}'s page is Prometheus text", kind == "text/plain; version=0.0.4; charset=utf-8", kind)
        found = problems(text)
        check(f"{name}'s page says what each series is", not found, found[:3])
        check(f"{name} tells which program it is and what it takes", f'throughline_build_info{{service="{name}",version="' in text
              and "\nprocess_cpu_seconds_total " in text and "\nprocess_resident_memory_bytes " in text)
        if promtool := shutil.which("promtool"):
            linted = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
            check(f"promtool has nothing to say about {name}", linted.returncode == 0 and not linted.stderr, linted.stderr)
    if not shutil.which("promtool"):
        print("skipped promtool: not on the PATH")


def look_at_strangers(base):
    call(base + 1, "/stranger.Service/Method", [])
    before = series_of(page(base + 1)[1])
    strangers(base + 1)
    after = series_of(page(base + 1)[1])
    check("strangers make no series", before == after, sorted(after ^ before)[:3])


def look_at_logs(data):
    calls = 0
    for name in NAMES:
        text = (data / "logs" / f"{name}.log").read_text(encoding="utf-8")
        bad = []
        for line in text.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                bad.append(line)
                continue
            if not {"time", "level", "service", "event"} <= set(entry) or entry["service"] != name:
                bad.append(line)
            if entry.get("event") == "call":
                calls += 1
                if not re.fullmatch("[0-9a-f]{32}", entry["trace_id"]) or set(entry["trace_id"]) == {"0"}:
                    bad.append(line)
        check(f"{name}'s log is lines of JSON", not bad, bad[:2])
        told = [word for word in PERSONAL if word in text]
        check(f"{name}'s log says nothing personal", not told, told)
    check("there are calls in the logs", calls > STRANGERS, calls)


def look_at_traces(data, trace):
    """The cart was asked in this trace, and asks the catalogue."""
    for name in ("cart", "catalog"):
        check(f"the trace goes on to {name}", trace in (data / "logs" / f"{name}.log").read_text())


def main():
    base, data = int(sys.argv[1]), Path(sys.argv[2])
    look_at_strangers(base)
    look_at_traces(data, sys.argv[3])
    look_at_metrics(base)
    look_at_logs(data)


main()
