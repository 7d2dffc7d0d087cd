"""TCP proxies between a client and a server: one that can be shut, held or slowed down, one that loses a reply."""
import socket
import struct
import threading
import time

CHUNK = 65536
FRAME_HEADER = 9
DATA, HEADERS = 0, 1
END_STREAM, PADDED = 1, 8


def cut(connection):
    """Ends it at once, as a host that dies does."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


class Door:
    """In front of a server; shut at first unless told otherwise."""

    def __init__(self, host, port, is_open=True, delay_seconds=0):
        self.target = (host, port)
        self.delay_seconds = delay_seconds
        self.lock = threading.Lock()
        self.pairs = []
        self.flowing = threading.Event()
        self.flowing.set()
        self.listener = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if is_open:
            self.open()

    def open(self):
        self.flowing.set()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(256)
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def slam(self):
        """Cuts every connection; new ones are refused."""
        cut(self.listener)
        self.cut_all()

    def cut_all(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for connection in pair:
                cut(connection)

    def hold(self):
        """Connections stay, nothing comes through; open_again ends it."""
        self.flowing.clear()

    def open_again(self):
        self.flowing.set()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self.target)
            except OSError:
                if listener.fileno() < 0:
                    return
                continue
            for connection in (client, server):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.append((client, server))
            for pump in (self.to_server, self.to_client):
                threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def to_server(self, client, server):
        self._pump(client, server)

    def to_client(self, client, server):
        self._pump(server, client)

    def _pump(self, source, sink):
        try:
            while content := source.recv(CHUNK):
                self.flowing.wait()
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                sink.sendall(content)
        except OSError:
            pass
        cut(source)
        cut(sink)


class LossyDoor(Door):
    """Loses replies: of the first call that is answered after lose_next, the whole answer is taken from the server, then the
    connection is cut, and the client has seen nothing of it."""

    def __init__(self, host, port):
        self.is_armed = False
        self.lost = None  # the message in the reply that was lost
        super().__init__(host, port)

    def lose_next(self):
        self.lost = None
        self.is_armed = True

    def to_client(self, client, server):
        held = b""
        try:
            while True:
                frame = self._frame(server)
                kind, flags, stream = frame[3], frame[4], int.from_bytes(frame[5:9], "big")
                if not (self.is_armed and stream and kind in (DATA, HEADERS)):
                    client.sendall(frame)
                    continue
                if kind == DATA:
                    body = frame[FRAME_HEADER:]
                    held += body[1:len(body) - body[0]] if flags & PADDED else body
                if flags & END_STREAM:
                    self.lost = held[5:] if held else None  # behind gRPC's prefix
                    self.is_armed = False
                    break
        except (OSError, EOFError):
            pass
        cut(client)
        cut(server)

    @staticmethod
    def _frame(server):
        header = LossyDoor._read(server, FRAME_HEADER)
        return header + LossyDoor._read(server, int.from_bytes(header[:3], "big"))

    @staticmethod
    def _read(server, count):
        content = b""
        while len(content) < count:
            more = server.recv(count - len(content))
            if not more:
                raise EOFError
            content += more
        return content
