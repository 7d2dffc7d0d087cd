"""Calls to any method of proto/ by name, with dicts in and out, from the descriptor set that the build made."""
import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc  # noqa: E402
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory  # noqa: E402

CALL_SECONDS = 10
# Nothing is tried again behind the test's back, and who comes back is found at once.
OPTIONS = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1),
           ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)]
PASSING = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"}


class Refused(Exception):
    """An answer that is not OK."""

    def __init__(self, api, method, error):
        self.code = error.code().name
        self.message = error.details() or ""
        self.reason = self.code
        self.fields = []
        self.retry_seconds = None
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                self._read(api, value)
        super().__init__(f"{method}: {self.code} {self.reason} {self.fields or ''} {self.message}")

    def _read(self, api, value):
        for detail in api.message("google.rpc.Status").FromString(value).details:
            kind = detail.type_url.rpartition("/")[2]
            content = api.message(kind).FromString(detail.value)
            if kind == "google.rpc.ErrorInfo":
                self.reason = content.reason
            elif kind == "google.rpc.BadRequest":
                self.fields = [violation.field for violation in content.field_violations]
            elif kind == "google.rpc.RetryInfo":
                self.retry_seconds = content.retry_delay.seconds + content.retry_delay.nanos / 1e9

    @property
    def is_passing(self):
        return self.code in PASSING


class Api:
    """Messages and methods."""

    def __init__(self, build):
        path = build / "proto/generated/throughline.binpb"
        files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file
        self.pool = descriptor_pool.DescriptorPool()
        for file in files:
            self.pool.AddSerializedFile(file.SerializeToString())
        self.factory = message_factory.MessageFactory(self.pool)
        self.methods = {}
        for file in files:
            for service in file.service:
                found = self.pool.FindServiceByName(f"{file.package}.{service.name}")
                self.methods |= {f"{service.name}/{method.name}": method for method in found.methods}

    def message(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def request(self, method, content):
        """The request's bytes."""
        message = self.factory.GetPrototype(self.methods[method].input_type)()
        return json_format.ParseDict(content, message).SerializeToString()

    def reply(self, method, content):
        message = self.factory.GetPrototype(self.methods[method].output_type).FromString(content)
        return json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=self.pool)

    def package(self, method):
        """The service that serves the method: "cart"; of events: "event"."""
        return self.methods[method].full_name.split(".")[1]

    def path(self, method):
        service = self.methods[method].containing_service.full_name
        return f"/{service}/{self.methods[method].name}"


class Client:
    """One connection to one port, for any thread."""

    def __init__(self, api, port, token):
        self.api = api
        self.token = token
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS)
        # Somebody must poll while calls fail at once, or a new connection is not noticed for seconds.
        self.channel.subscribe(lambda state: None)

    def wait_connected(self, seconds):
        grpc.channel_ready_future(self.channel).result(seconds)

    def close(self):
        self.channel.close()

    def _metadata(self, actor, channel, trace):
        metadata = [("authorization", f"Bearer {self.token}"), ("throughline-channel", channel),
                    ("throughline-actor", actor)]
        if trace:
            metadata.append(("traceparent", f"00-{trace}-00000000000000ab-01"))
        return metadata

    def bytes(self, method, request, actor, channel="web", timeout=CALL_SECONDS, trace=None):
        """Bytes there and bytes back."""
        try:
            return self.channel.unary_unary(self.api.path(method))(
                request, timeout=timeout, metadata=self._metadata(actor, channel, trace))
        except grpc.RpcError as error:
            raise Refused(self.api, method, error) from None

    def ask(self, method, request, actor="services/test", **how):
        return self.api.reply(method, self.bytes(method, self.api.request(method, request), actor, **how))

    def upload(self, method, requests, actor="services/test", channel="web", timeout=CALL_SECONDS):
        """The answer to a client stream."""
        try:
            return self.api.reply(method, self.channel.stream_unary(self.api.path(method))(
                iter([self.api.request(method, request) for request in requests]), timeout=timeout,
                metadata=self._metadata(actor, channel, None)))
        except grpc.RpcError as error:
            raise Refused(self.api, method, error) from None

    def stream(self, method, request, actor="services/test", channel="web", timeout=CALL_SECONDS):
        """The answers of a server stream; ends when it does."""
        for answer in self.messages(method, request, actor, channel, timeout):
            yield self.api.reply(method, answer)

    def messages(self, method, request, actor="services/test", channel="web", timeout=CALL_SECONDS):
        """The same, still packed: to unpack and name every field takes a hundred times as long."""
        call = self.channel.unary_stream(self.api.path(method))(
            self.api.request(method, request), timeout=timeout, metadata=self._metadata(actor, channel, None))
        try:
            yield from call
        except grpc.RpcError as error:
            raise Refused(self.api, method, error) from None
        finally:
            call.cancel()
