"""HTTP/2 by hand, for peers that do what no library would: frames, a request's header block, a connection."""
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
CANCEL = 8
MAX_FRAME = 16384
CONNECT_SECONDS = 10
SEND_SECONDS = 5

SERVICE = b"/grpc.testing.TestService/"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def setting(key, value):
    return struct.pack(">HI", key, value)


def integer(value, prefix_bits, first=0):
    """An integer as HPACK writes it, behind the bits in `first`."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes([first | value])
    out = bytearray([first | limit])
    value -= limit
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def text(value):
    return integer(len(value), 7) + value


def literal(name, value):
    """A header that enters no table."""
    return b"\0" + text(name) + text(value)


def request_headers(method, more=b""):
    """The header block of a gRPC call: four fields from the static table, two literals."""
    return (b"\x83\x86" + b"\x04" + text(SERVICE + method) + b"\x01" + text(b"localhost") +
            integer(31, 4) + text(b"application/grpc") + literal(b"te", b"trailers") + more)


def message(body=b""):
    """A gRPC message that is not compressed."""
    return b"\0" + struct.pack(">I", len(body)) + body


def call(stream, method, body=b""):
    return (frame(HEADERS, END_HEADERS, stream, request_headers(method)) +
            frame(DATA, END_STREAM, stream, message(body)))


class Gone(Exception):
    """The server has closed the connection, or takes no more."""


class Connection:
    """A connection whose preface is out. `source` is the stranger's own address, so that what holds for one address holds for it."""

    def __init__(self, port, source="127.0.0.1", settings=b"", seconds=CONNECT_SECONDS):
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds, source_address=(source, 0))
        except OSError as error:
            raise Gone(str(error)) from None
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(SEND_SECONDS)
        self.unread = b""
        try:
            self.send(PREFACE + frame(SETTINGS, payload=settings))
        except Gone:
            self.close()
            raise

    def send(self, content):
        try:
            self.socket.sendall(content)
        except OSError as error:
            raise Gone(str(error)) from None

    def drain(self):
        """Throws away what has come; false when the server has closed."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(1 << 20):
                pass
            return False
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(SEND_SECONDS)

    def _read(self, count):
        while len(self.unread) < count:
            try:
                more = self.socket.recv(65536)
            except OSError as error:
                raise Gone(str(error)) from None
            if not more:
                raise Gone("closed")
            self.unread += more
        content, self.unread = self.unread[:count], self.unread[count:]
        return content

    def next_frame(self):
        """(kind, flags, stream, payload)"""
        header = self._read(9)
        return header[3], header[4], struct.unpack(">I", header[5:])[0], self._read(int.from_bytes(header[:3], "big"))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_served(port, seconds):
    """Whether a new client gets an answer."""
    try:
        with Connection(port, seconds=seconds) as client:
            client.socket.settimeout(seconds)
            client.send(call(1, b"EmptyCall"))
            while True:
                kind, _, stream, payload = client.next_frame()
                if kind == DATA and stream == 1:
                    return payload == message()
                if stream == 1 and kind == RST_STREAM or kind == GOAWAY:
                    return False
    except Gone:
        return False
