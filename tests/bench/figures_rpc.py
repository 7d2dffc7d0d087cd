"""rpc.*: what a call costs, against an echo on the same run time and against gRPC core alone."""
from dataclasses import replace

from figures import figure, median_pair, median_ratio, shared
from unary import Method, echo_method

WARM_UP_SHARE = 10


def cpu_us(bench, program, method):
    """(CPU per call, calls a second)."""
    before = program.cpu_seconds()
    per_second = method.call(bench.sizes.reads, bench.scratch)
    return (program.cpu_seconds() - before) / bench.sizes.reads * 1e6, per_second


def alternate(bench, *sides):
    """Rounds of (CPU per call, calls a second), one a side; sides are (program, method)."""
    for _, method in sides:
        method.call(bench.sizes.reads // WARM_UP_SHARE, bench.scratch)
    return [[cpu_us(bench, program, method) for program, method in sides] for _ in range(bench.sizes.rounds)]


@shared
def reads_and_echoes(bench):
    """GetProduct, an echo of the same size, and the same echo by gRPC core alone."""
    read = bench.shop.get_product()
    read.call(1, bench.scratch)
    echo = echo_method(bench.echo.hello, read.reply_bytes)
    bare = replace(echo, port=bench.bare.hello["port"], path="/bench.Bare/Echo")
    return alternate(bench, (bench.shop.services["catalog"], read), (bench.echo, echo), (bench.bare, bare))


def column(bench, side, value):
    return [sides[side][value] for sides in reads_and_echoes(bench)]


READ, ECHO, BARE = range(3)
CPU, SPEED = range(2)


@figure("rpc.read_cpu_ratio", "ratio", "<= 1.5")
def read_cpu_ratio(bench):
    return median_ratio(zip(column(bench, READ, CPU), column(bench, ECHO, CPU)))


@figure("rpc.read_cpu_us", "µs")
def read_cpu(bench):
    return median_pair(zip(column(bench, READ, CPU), column(bench, ECHO, CPU)))


@figure("rpc.echo_cpu_us", "µs")
def echo_cpu(bench):
    return median_pair(zip(column(bench, ECHO, CPU), column(bench, BARE, CPU)))


@figure("rpc.echo_bare_cpu_ratio", "ratio")
def echo_bare_cpu_ratio(bench):
    """What the run time adds to gRPC core: token, context, scan, metrics, workers."""
    return median_ratio(zip(column(bench, ECHO, CPU), column(bench, BARE, CPU)))


@figure("rpc.echo_per_second", "1/s")
def echo_per_second(bench):
    return median_pair(zip(column(bench, ECHO, SPEED), column(bench, BARE, SPEED)))


@figure("rpc.read_per_second", "1/s")
def read_per_second(bench):
    return median_pair(zip(column(bench, READ, SPEED), column(bench, ECHO, SPEED)))
