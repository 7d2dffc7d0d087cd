"""Unary gRPC calls by the thousand through h2load, which knows nothing of gRPC: the body is a prefix of five bytes and
the message, and a good answer is told by its size."""
import os
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass

from figures import Unavailable

PREFIX = 5


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def text_field(number, text):
    """Of a message, as it goes over the wire; also for bytes and messages."""
    content = text.encode() if isinstance(text, str) else text
    return varint(number << 3 | 2) + varint(len(content)) + content


def apart():
    """What starts a load on the last processor, away from a server that is held on the first."""
    last = (os.cpu_count() or 1) - 1
    return ["taskset", "-c", str(last)] if last and shutil.which("taskset") else []


@dataclass
class Load:
    """How h2load calls."""
    connections: int = 8
    streams: int = 10
    is_apart: bool = False


@dataclass
class Method:
    """A call that can be repeated: the same request always gets an answer of the same size, but for `slack` bytes where times
    and signatures are in it."""
    port: int
    path: str
    message: bytes
    headers: dict
    reply_bytes: int = 0
    scheme: str = "http"
    slack: int = 0

    def call(self, count, scratch, load=Load()):
        """Calls it `count` times; returns calls a second. The first use finds out how large an answer is."""
        if not self.reply_bytes:
            self.reply_bytes = self._run(1, scratch, Load(1, 1))[1] - PREFIX
            if self.reply_bytes <= 0:
                raise Unavailable(f"{self.path} answers with an error")
        per_second, data = self._run(count, scratch, load)
        if abs(data - count * (PREFIX + self.reply_bytes)) > count * self.slack:
            raise Unavailable(f"{self.path}: {data} bytes in {count} answers, not {PREFIX + self.reply_bytes} each")
        return per_second

    def _run(self, count, scratch, load):
        if not shutil.which("h2load"):
            raise Unavailable("h2load is not installed")
        body = scratch / "body"
        body.write_bytes(b"\0" + struct.pack(">I", len(self.message)) + self.message)
        headers = {"content-type": "application/grpc", "te": "trailers"} | self.headers
        command = [*(apart() if load.is_apart else []), "h2load", "-t1", f"-c{min(load.connections, count)}", f"-m{load.streams}", f"-n{count}",
                   "-d", str(body)]
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        done = subprocess.run([*command, f"{self.scheme}://127.0.0.1:{self.port}{self.path}"],
                              capture_output=True, text=True, check=False)
        speed = re.search(r"finished in .*?, ([\d.]+) req/s", done.stdout)
        succeeded = re.search(r"(\d+) succeeded", done.stdout)
        data = re.search(r"\((\d+)\) data", done.stdout)
        if not speed or not data or int(succeeded.group(1)) != count:
            raise Unavailable(f"h2load could not call {self.path}: {(done.stderr or done.stdout).strip()[-200:]}")
        return float(speed.group(1)), int(data.group(1))


def echo_method(hello, size):
    """EchoService.Echo with a payload so that answer and request have `size` bytes."""
    payload = size
    while payload and len(text_field(1, b"x" * payload)) > size:
        payload -= 1
    return Method(hello["port"], "/throughline.echo.v1.EchoService/Echo", text_field(1, b"x" * payload),
                  {"authorization": f"Bearer {hello['token']}"})
