"""catalog.*: what quotes and prices cost, against an echo of the same size."""
from figures import figure, median_pair, median_ratio, shared
from figures_rpc import alternate
from programs import run_json
from unary import Method, echo_method

SERVICE = "/throughline.catalog.v1.PricingService/"
QUOTE_SLACK = 256   # a quote says where it stands among up to 64 that share its signature, in hashes of 32 bytes
CPU = 0


def promotions_in_force(bench):
    return 100 if bench.sizes.is_smoke else 1000


class PriceServer:
    """A catalogue on its own, with so many promotions in force."""

    def __init__(self, bench, promotions):
        products = 2000 if bench.sizes.is_smoke else 100000
        self.program = bench.program("bench/price_server", f"--products={products}", f"--promotions={promotions}")

    def method(self, name, key, slack=0):
        hello = self.program.hello
        headers = {"authorization": f"Bearer {hello['token']}", "throughline-channel": "web"}
        return Method(hello["port"], SERVICE + name, bytes.fromhex(hello[key]), headers, slack=slack)

    def quote(self):
        return self.program, self.method("CreateQuote", "quote", QUOTE_SLACK)

    def price(self):
        return self.program, self.method("GetPrice", "price")


def against_echo(bench, side):
    """Pairs of CPU per call: ours, and an echo of as many bytes."""
    _, method = side
    method.call(1, bench.scratch)
    echo = (bench.echo, echo_method(bench.echo.hello, method.reply_bytes))
    return [(ours[CPU], theirs[CPU]) for ours, theirs in alternate(bench, side, echo)]


@shared
def prices(bench):
    server = PriceServer(bench, promotions_in_force(bench))
    measured = against_echo(bench, server.quote()), against_echo(bench, server.price())
    server.program.stop()
    return measured


@figure("catalog.quote_cpu_ratio", "ratio", "<= 4")
def quote_cpu_ratio(bench):
    """A quote of ten lines, 1,000 promotions in force, 100,000 SKUs, signed; the baseline is the echo in µs."""
    return median_ratio(prices(bench)[0])


@shared
def quote_times(bench):
    """Rounds of (p99, p50), in microseconds of the thread's own."""
    products, quotes = (2000, 500) if bench.sizes.is_smoke else (100000, 20000)
    runs = [run_json(bench.binaries / "bench/price_server", f"--products={products}", f"--promotions={promotions_in_force(bench)}",
                     f"--time={quotes}") for _ in range(bench.sizes.rounds)]
    return [(run["p99_us"], run["p50_us"]) for run in runs]


@figure("catalog.quote_p50_us", "µs", "<= 100")
def quote_p50(bench):
    """Processor time of such a quote inside the service, from the request's bytes to the answer's, of another cart each time."""
    return median_pair(quote_times(bench))[1]


@figure("catalog.quote_p99_ratio", "ratio", "<= 3")
def quote_p99_ratio(bench):
    """The 99th percentile of the same; the baseline is its median in µs."""
    return median_ratio(quote_times(bench))


@figure("catalog.price_cpu_ratio", "ratio", "<= 1.5")
def price_cpu_ratio(bench):
    return median_ratio(prices(bench)[1])


@figure("catalog.quote_scaling_ratio", "ratio", "<= 2")
def quote_scaling_ratio(bench):
    """The same quote at 10,000 promotions and at 100; the baseline is that at 100 in µs."""
    many, few = (PriceServer(bench, promotions) for promotions in ((1000, 10) if bench.sizes.is_smoke else (10000, 100)))
    pairs = [(ours[CPU], theirs[CPU]) for ours, theirs in alternate(bench, many.quote(), few.quote())]
    many.program.stop()
    few.program.stop()
    return median_ratio(pairs)


@figure("catalog.publish_p99_ratio", "ratio", "<= 1.2")
def publish_p99_ratio(bench):
    """The 99th percentile of GetPrice from four callers while a release is published twice a second, and with none: in µs."""
    products, rounds, round_ms = (2000, 2, 100) if bench.sizes.is_smoke else (100000, bench.sizes.rounds, 3000)
    done = run_json(bench.binaries / "bench/publish_load", f"--products={products}", f"--rounds={rounds}",
                    f"--round-ms={round_ms}")
    return median_ratio(done["p99_us"])
