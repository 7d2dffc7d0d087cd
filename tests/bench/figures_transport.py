"""transport.*: the engines below the run time, beside a bare server and other people's. Servers are held on one processor and loads on
another, where there are two."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import REST_SECONDS
from figures import Unavailable, figure, median_pair, median_ratio, shared
from programs import Program
from shop import NAMES
from unary import Load, Method, echo_method, text_field, varint

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "fault"))

from builds import is_sanitized  # noqa: E402

ECHO_BYTES = 71
BUSY = Load(connections=8, streams=100, is_apart=True)
STREAM_MESSAGES, SMOKE_MESSAGES = 1000, 50
CONNECTIONS = 1000
ADDRESSES = 10  # by default one alone may not have as many
BUSY_CONNECTIONS = 200
BUSY_STREAMS = 10
KILO = 1024
HALF = 0.5
LATENCY_SECONDS = 3


def pinned(bench, path, *arguments):
    """A server on the first processor."""
    if os.cpu_count() < 2 or not shutil.which("taskset"):
        return bench.keep(Program(path, *arguments))
    return bench.keep(Program(shutil.which("taskset"), "-c", "0", path, *arguments))


def bare_method(hello):
    """The echo of a server that knows nothing but echoes."""
    return Method(hello["port"], "/bench.Bare/Echo", text_field(1, b"x" * (ECHO_BYTES - 2)), {})


@shared
def echoes(bench):
    """The echo service on both engines: {engine: program}, one thread each."""
    path = bench.binaries / "echo_server"
    return {engine: pinned(bench, path, f"--transport={engine}", "--pollers=1") for engine in ("h2", "core")}


def rounds_of(bench, sides, load=BUSY, share=1):
    """Alternating rounds of (CPU per call in µs, calls a second), one a side; sides are (program, method)."""
    calls = max(1, bench.sizes.reads // share)

    def once(program, method):
        before = program.cpu_seconds()
        per_second = method.call(calls, bench.scratch, load)
        return (program.cpu_seconds() - before) / calls * 1e6, per_second

    for program, method in sides:
        method.call(max(1, calls // 10), bench.scratch, load)
    return [[once(*side) for side in sides] for _ in range(bench.sizes.rounds)]


CPU, SPEED = range(2)


def against(bench, rounds, what, upside_down=False):
    """(median ratio of the first side to the second, median of the second)."""
    value, baseline = median_ratio((sides[0][what], sides[1][what]) for sides in rounds)
    return (1 / value, baseline) if upside_down else (value, baseline)


@shared
def engines(bench):
    """The echo service on h2 and on core."""
    return rounds_of(bench, [(program, echo_method(program.hello, ECHO_BYTES)) for program in echoes(bench).values()])


@figure("transport.h2_core_ratio", "ratio", ">= 4")
def h2_core_ratio(bench):
    return against(bench, engines(bench), SPEED)


@figure("transport.h2_core_cpu_ratio", "ratio")
def h2_core_cpu_ratio(bench):
    return against(bench, engines(bench), CPU)


@figure("transport.h2_cpu_us", "µs")
def h2_cpu_us(bench):
    return median_pair((sides[0][CPU], sides[1][CPU]) for sides in engines(bench))


@figure("transport.h2_per_second", "1/s")
def h2_per_second(bench):
    return median_pair((sides[0][SPEED], sides[1][SPEED]) for sides in engines(bench))


def peer_rounds(bench, path):
    """The echo service on h2 beside another server."""
    ours, peer = echoes(bench)["h2"], pinned(bench, path)
    try:
        return rounds_of(bench, [(ours, echo_method(ours.hello, ECHO_BYTES)), (peer, bare_method(peer.hello))])
    finally:
        peer.stop()


def build_peer(bench, name, *steps):
    """Runs the steps in a folder that is kept, unless they were run before; the program that they make."""
    folder = bench.build / "bench-peers" / name
    program = folder / "echo"
    folder.mkdir(parents=True, exist_ok=True)
    if not program.exists():
        for step in steps:
            try:
                done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise Unavailable(f"{name}: {error}") from None
            if done.returncode:
                raise Unavailable(f"{name}: {(done.stderr or done.stdout).strip().splitlines()[-1][:200]}")
    return program


@shared
def beside_go(bench):
    if not shutil.which("go"):
        raise Unavailable("go is not installed")
    if bench.sizes.is_smoke and not (bench.build / "bench-peers/go/echo").exists():
        raise Unavailable("grpc-go is not built")
    source = HERE / "peers/go"
    copy = ["cp", source / "main.go", source / "go.mod", "."]
    return peer_rounds(bench, build_peer(bench, "go", copy, ["go", "mod", "tidy"], ["go", "build", "-o", "echo", "."]))


@shared
def beside_cpp(bench):
    if bench.sizes.is_smoke and not (bench.build / "bench-peers/cpp/echo").exists():
        raise Unavailable("gRPC C++ is not built")
    if subprocess.run(["pkg-config", "--exists", "grpc++"], capture_output=True, check=False).returncode:
        raise Unavailable("gRPC C++ is not installed: services/install bench")
    compile_it = ["g++", "-std=c++17", "-O2", HERE / "peers/echo.cc", "-o", "echo", "-lgrpc++", "-lgrpc", "-lgpr", "-lprotobuf",
                  "-labsl_synchronization"]
    return peer_rounds(bench, build_peer(bench, "cpp", compile_it))


@figure("transport.h2_go_ratio", "ratio", ">= 3")
def h2_go_ratio(bench):
    return against(bench, beside_go(bench), SPEED)


@figure("transport.h2_go_cpu_ratio", "ratio")
def h2_go_cpu_ratio(bench):
    return against(bench, beside_go(bench), CPU)


@figure("transport.h2_cpp_ratio", "ratio", ">= 4")
def h2_cpp_ratio(bench):
    return against(bench, beside_cpp(bench), SPEED)


@figure("transport.h2_cpp_cpu_ratio", "ratio")
def h2_cpp_cpu_ratio(bench):
    return against(bench, beside_cpp(bench), CPU)


@shared
def beside_bare(bench):
    """The engine alone, without the run time above it, beside the bare server."""
    engine = pinned(bench, bench.binaries / "bench/engine_echo", "h2")
    bare = pinned(bench, bench.binaries / "bench/bare_h2")
    return rounds_of(bench, [(engine, bare_method(engine.hello)), (bare, bare_method(bare.hello))])


@figure("transport.h2_engine_cpu_ratio", "ratio")
def h2_engine_cpu_ratio(bench):
    return against(bench, beside_bare(bench), CPU)


def instructions_per_call(bench, path, arguments, method_of):
    """User-space instructions of a call, by callgrind: the difference between two lengths of a run, so that the start does not count."""
    if not shutil.which("valgrind"):
        raise Unavailable("valgrind is not installed")
    if is_sanitized(bench.binaries / "echo_server"):
        raise Unavailable("a build without sanitizers is not built")
    calls = bench.sizes.counted
    totals = []
    for count in calls:
        log = bench.scratch / "callgrind.log"
        with open(log, "w", encoding="utf-8") as out:
            program = Program(shutil.which("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null", str(path), *arguments,
                              log=out)
        try:
            method_of(program.hello).call(count, bench.scratch, Load(connections=8, streams=10))
        finally:
            program.stop()
        collected = re.search(r"Collected : (\d+)", log.read_text())
        if not collected:
            raise Unavailable(f"valgrind says nothing of {path.name}")
        totals.append(int(collected.group(1)))
    return (totals[1] - totals[0]) / (calls[1] - calls[0])


@shared
def instructions(bench):
    """Of a call: {who: instructions}. The bare server is asked for what the echo service and for what the bare engine is asked: a token
    alone costs it more than the rest of the call."""
    folder = bench.binaries
    token = bench.echo.hello["token"]

    def echo(hello):
        return echo_method(hello, ECHO_BYTES)

    def same(hello):
        return echo_method(hello | {"token": token}, ECHO_BYTES)

    return {
        "h2": instructions_per_call(bench, folder / "echo_server", ["--transport=h2", "--pollers=1"], echo),
        "bare of h2": instructions_per_call(bench, folder / "bench/bare_h2", [], same),
        "engine": instructions_per_call(bench, folder / "bench/engine_echo", ["h2"], bare_method),
        "bare of engine": instructions_per_call(bench, folder / "bench/bare_h2", [], bare_method),
    }


@shared
def core_instructions(bench):
    return instructions_per_call(bench, bench.binaries / "echo_server", ["--transport=core", "--pollers=1"],
                                 lambda hello: echo_method(hello, ECHO_BYTES))


def instructions_ratio(found, who):
    return found[who] / found[f"bare of {who}"], found[f"bare of {who}"]


@figure("transport.h2_instructions_ratio", "ratio", "<= 1.3")
def h2_instructions_ratio(bench):
    """The whole of an echo call: token, context, scan, handler, metrics, and the engine."""
    return instructions_ratio(instructions(bench), "h2")


@figure("transport.h2_engine_instructions_ratio", "ratio")
def h2_engine_instructions_ratio(bench):
    return instructions_ratio(instructions(bench), "engine")


@figure("transport.h2_core_instructions_ratio", "ratio")
def h2_core_instructions_ratio(bench):
    return instructions(bench)["h2"] / core_instructions(bench), core_instructions(bench)


@shared
def connections(bench):
    """KB a connection: (idle, busy)."""
    from frames import Connection

    server = bench.program("echo_server", "--transport=h2")
    before = server.memory_mb()
    count = CONNECTIONS // 10 if bench.sizes.is_smoke else CONNECTIONS
    opened = [Connection(server.hello["port"], f"127.0.0.{2 + i % ADDRESSES}") for i in range(count)]
    for one in opened:
        one.next_frame()
    time.sleep(REST_SECONDS)
    idle = (server.memory_mb() - before) * KILO / count
    for one in opened:
        one.close()
    server.stop()

    server = bench.program("echo_server", "--transport=h2")
    method = echo_method(server.hello, ECHO_BYTES)
    method.call(1, bench.scratch)
    before = server.memory_mb()
    count = BUSY_CONNECTIONS // 10 if bench.sizes.is_smoke else BUSY_CONNECTIONS
    method.call(max(count * BUSY_STREAMS, bench.sizes.reads), bench.scratch, Load(count, BUSY_STREAMS))
    busy = (server.peak_memory_mb() - before) * KILO / count
    server.stop()
    return idle, busy


@figure("transport.idle_connection_kb", "KB", "<= 16")
def idle_connection_kb(bench):
    return connections(bench)[0]


@figure("transport.busy_connection_kb", "KB", "<= 32")
def busy_connection_kb(bench):
    """With ten calls on their way."""
    return connections(bench)[1]


@figure("transport.rest_mb", "MB", "<= 10")
def rest_mb(bench):
    """The largest service on h2, and the echo service, which has no store and no clients of its own."""
    before = os.environ.get("THROUGHLINE_TRANSPORT")
    os.environ["THROUGHLINE_TRANSPORT"] = "h2"
    try:
        shop = bench.shop_on(bench.folder())
    finally:
        if before is None:
            del os.environ["THROUGHLINE_TRANSPORT"]
        else:
            os.environ["THROUGHLINE_TRANSPORT"] = before
    echo = bench.program("echo_server", "--transport=h2")
    time.sleep(REST_SECONDS)
    measured = max(shop.services[name].memory_mb() for name in NAMES), echo.memory_mb()
    shop.stop()
    echo.stop()
    return measured


@shared
def sieges(bench):
    """What strangers do to h2 and to its well-behaved client: the outcomes."""
    from besieged import besiege
    from hostile import ATTACKS, QUICK, WHOLE
    from report import Failed, Skipped

    names = ["garbage"] if bench.sizes.is_smoke else list(ATTACKS)
    sizes = WHOLE if bench.sizes.reads > 50000 else QUICK
    try:
        return [besiege(bench.binaries, "h2", name, sizes, bench.folder())[0] for name in names]
    except (Failed, Skipped) as reason:
        raise Unavailable(str(reason)) from None


@figure("transport.hostile_memory_mb", "MB", "<= 64")
def hostile_memory_mb(bench):
    return max(outcome.growth_mib for outcome in sieges(bench))


@figure("transport.hostile_p99_ratio", "ratio", "<= 2")
def hostile_p99_ratio(bench):
    """The median of the attacks' ratios, and the worst: a percentile of a short attack is its slowest call."""
    ratios = [outcome.p99_us / outcome.calm_p99_us for outcome in sieges(bench) if outcome.p99_us and outcome.calm_p99_us]
    if not ratios:
        raise Unavailable("h2load is not installed")
    return statistics.median(ratios), max(ratios)


@figure("transport.interop_passed", "ratio", "= 1")
def interop_passed(bench):
    """Of all cases from all languages on both transports (to see that they can be counted, one will do); beside it, their number."""
    environment = os.environ | {"THROUGHLINE_QUICK": "1" if bench.sizes.is_smoke else "0"}
    transports = ["h2"] if bench.sizes.is_smoke else []
    done = subprocess.run([HERE.parent / "checks/interop", os.path.relpath(bench.build, HERE.parent.parent), *transports],
                          capture_output=True, text=True, check=False, env=environment)
    counts = re.search(r"interop: (\d+) passed, (\d+) failed", done.stdout)
    if not counts:
        raise Unavailable("the check does not close")
    passed, failed = map(int, counts.groups())
    return passed / (passed + failed), passed + failed


def latencies(bench, program, per_second):
    """(p50, p99) in µs of calls at a steady pace."""
    log = bench.scratch / "latencies.tsv"
    log.unlink(missing_ok=True)
    method = echo_method(program.hello, ECHO_BYTES)
    method.call(1, bench.scratch)
    connections_used = 8
    command = ["h2load", "-t1", f"-c{connections_used}", "-m10", f"--rps={max(1, int(per_second / connections_used))}",
               f"--duration={1 if bench.sizes.is_smoke else LATENCY_SECONDS}", f"--log-file={log}", "-d", str(bench.scratch / "body"),
               "-H", "content-type: application/grpc", "-H", "te: trailers"]
    for name, value in method.headers.items():
        command += ["-H", f"{name}: {value}"]
    subprocess.run([*command, f"http://127.0.0.1:{method.port}{method.path}"], capture_output=True, check=False)
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines()) if log.exists() else []
    if not times:
        raise Unavailable("h2load noted no calls")
    return times[len(times) // 2], times[int(len(times) * 0.99)]


@shared
def half_load(bench):
    """{engine: (p50, p99)} at half of what core can do, the same pace for both."""
    pace = HALF * statistics.median(sides[1][SPEED] for sides in engines(bench))
    return {engine: latencies(bench, program, pace) for engine, program in echoes(bench).items()}


@figure("transport.h2_p50_us", "µs")
def h2_p50_us(bench):
    return half_load(bench)["h2"][0], half_load(bench)["core"][0]


@figure("transport.h2_p99_us", "µs")
def h2_p99_us(bench):
    return half_load(bench)["h2"][1], half_load(bench)["core"][1]


def stream_messages(bench):
    return SMOKE_MESSAGES if bench.sizes.is_smoke else STREAM_MESSAGES


def stream_method(bench, hello):
    """EchoMany: a call that is answered with a thousand messages."""
    message = text_field(1, b"x" * (ECHO_BYTES - 2)) + b"\x10" + varint(stream_messages(bench))
    return Method(hello["port"], "/throughline.echo.v1.EchoService/EchoMany", message,
                  {"authorization": f"Bearer {hello['token']}"})


@shared
def streams(bench):
    share = max(1, bench.sizes.reads // 200)
    return rounds_of(bench, [(program, stream_method(bench, program.hello)) for program in echoes(bench).values()], Load(8, 2, is_apart=True), share)


@figure("transport.h2_stream_core_ratio", "ratio")
def h2_stream_core_ratio(bench):
    """Streams of a thousand messages a second, h2 / core."""
    return against(bench, streams(bench), SPEED)


@figure("transport.h2_stream_message_us", "µs")
def h2_stream_message_us(bench):
    """CPU per message of a stream; beside it, core's."""
    return median_pair(tuple(side[CPU] / stream_messages(bench) for side in sides) for sides in streams(bench))


@shared
def encrypted(bench):
    """The echo service on h2 with TLS, and without."""
    folder = bench.folder()
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                           "-subj", "/CN=localhost", "-keyout", folder / "key", "-out", folder / "certificate"],
                          capture_output=True, check=False)
    if made.returncode:
        raise Unavailable("openssl is not installed")
    secure = pinned(bench, bench.binaries / "echo_server", "--transport=h2", "--pollers=1",
                    f"--tls-certificate={folder}/certificate", f"--tls-key={folder}/key")
    plain = echoes(bench)["h2"]
    method = echo_method(secure.hello, ECHO_BYTES)
    method.scheme = "https"
    return rounds_of(bench, [(secure, method), (plain, echo_method(plain.hello, ECHO_BYTES))])


@figure("transport.h2_tls_cpu_ratio", "ratio")
def h2_tls_cpu_ratio(bench):
    """CPU per call with TLS 1.3 / without."""
    return against(bench, encrypted(bench), CPU)
