"""gRPC's interoperability cases with grpcio: interop.py DESCRIPTOR_SET PORT CASE… says "ok CASE" or "FAILED CASE: why" for each."""
import gzip
import queue
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "/grpc.testing.TestService/"
REQUESTS = [27182, 8, 1828, 45904]
RESPONSES = [31415, 9, 2653, 58979]
TIMEOUT = 20
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
ECHO = (("x-grpc-test-echo-initial", "test_initial_metadata_value"), ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"))


def load(path):
    """Message classes by their short names, made from the compiled descriptor set."""
    files = descriptor_pb2.FileDescriptorSet.FromString(open(path, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    messages = next(file for file in files.file if file.name == "grpc/testing/messages.proto")
    return {one.name: make(pool.FindMessageTypeByName("grpc.testing." + one.name)) for one in messages.message_type}


TYPES = load(sys.argv[1])
TARGET = "127.0.0.1:" + sys.argv[2]
CHANNEL = grpc.insecure_channel(TARGET, options=[("grpc.max_receive_message_length", -1)])
# Hands over what came, in gzip or not.
VERBATIM = grpc.insecure_channel(TARGET, options=[("grpc.per_message_decompression", 0), ("grpc.use_local_subchannel_pool", 1)])


def new(name, **fields):
    return TYPES[name](**fields)


def truth(value):
    return new("BoolValue", value=value)


def payload(size):
    return new("Payload", body=bytes(size))


def large(**more):
    return new("SimpleRequest", response_size=314159, payload=payload(271828), **more)


def output(*sizes, **more):
    return new("StreamingOutputCallRequest", response_parameters=[new("ResponseParameters", size=size) for size in sizes], **more)


def method(kind, name, reply, channel=CHANNEL):
    """A callable for a method of this kind ("unary_stream"); without a type of reply, the bytes as they come."""
    return getattr(channel, kind)(SERVICE + name, request_serializer=lambda message: message.SerializeToString(),
                                  response_deserializer=TYPES[reply].FromString if reply else None)


EMPTY = method("unary_unary", "EmptyCall", "Empty")
UNARY = method("unary_unary", "UnaryCall", "SimpleResponse")
INPUT = method("stream_unary", "StreamingInputCall", "StreamingInputCallResponse")
OUTPUT = method("unary_stream", "StreamingOutputCall", "StreamingOutputCallResponse")
DUPLEX = method("stream_stream", "FullDuplexCall", "StreamingOutputCallResponse")


def check(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r} instead of {wanted!r}"[:200])


def check_payload(reply, size):
    check(len(reply.payload.body), size)
    check(reply.payload.body.count(0), size)


def code_of(call):
    """The status of a call, or of the error that starting it raises, and its text."""
    try:
        result = call()
        if hasattr(result, "__next__"):
            list(result)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


def empty_unary():
    check(EMPTY(new("Empty"), timeout=TIMEOUT), new("Empty"))


def large_unary():
    check_payload(UNARY(large(), timeout=TIMEOUT), 314159)


def client_compressed_unary():
    expecting = large(expect_compressed=truth(True))
    check(code_of(lambda: UNARY(expecting, timeout=TIMEOUT))[0], grpc.StatusCode.INVALID_ARGUMENT)
    check_payload(UNARY(expecting, timeout=TIMEOUT, compression=grpc.Compression.Gzip), 314159)
    check_payload(UNARY(large(expect_compressed=truth(False)), timeout=TIMEOUT), 314159)


def server_compressed_unary():
    verbatim = method("unary_unary", "UnaryCall", None, VERBATIM)
    for wanted in (True, False):
        request = large(response_compressed=truth(wanted))
        check_payload(UNARY(request, timeout=TIMEOUT), 314159)
        raw = verbatim(request, timeout=TIMEOUT)
        check(raw[:2] == b"\x1f\x8b", wanted)
        check_payload(TYPES["SimpleResponse"].FromString(gzip.decompress(raw) if wanted else raw), 314159)


def client_streaming():
    messages = (new("StreamingInputCallRequest", payload=payload(size)) for size in REQUESTS)
    check(INPUT(messages, timeout=TIMEOUT).aggregated_payload_size, 74922)


def client_compressed_streaming():
    first = new("StreamingInputCallRequest", payload=payload(27182), expect_compressed=truth(True))
    second = new("StreamingInputCallRequest", payload=payload(45904), expect_compressed=truth(False))
    check(code_of(lambda: INPUT(iter([first]), timeout=TIMEOUT))[0], grpc.StatusCode.INVALID_ARGUMENT)
    # grpcio compresses all messages of a call or none, so both go out in gzip.
    reply = INPUT(iter([first, second]), timeout=TIMEOUT, compression=grpc.Compression.Gzip)
    check(reply.aggregated_payload_size, 73086)


def server_streaming():
    replies = list(OUTPUT(output(*RESPONSES), timeout=TIMEOUT))
    check(len(replies), len(RESPONSES))
    for reply, size in zip(replies, RESPONSES):
        check_payload(reply, size)


def server_compressed_streaming():
    request = new("StreamingOutputCallRequest", response_parameters=[
        new("ResponseParameters", size=31415, compressed=truth(True)),
        new("ResponseParameters", size=92653, compressed=truth(False))])
    for reply, size in zip(OUTPUT(request, timeout=TIMEOUT), (31415, 92653)):
        check_payload(reply, size)
    raw = list(method("unary_stream", "StreamingOutputCall", None, VERBATIM)(request, timeout=TIMEOUT))
    check([one[:2] == b"\x1f\x8b" for one in raw], [True, False])


def duplex(**options):
    """A call both ways whose requests are put into a queue; None ends them."""
    requests = queue.Queue()
    return requests, DUPLEX(iter(requests.get, None), timeout=options.pop("timeout", TIMEOUT), **options)


def ping_pong():
    requests, call = duplex()
    for request, response in zip(REQUESTS, RESPONSES):
        requests.put(output(response, payload=payload(request)))
        check_payload(next(call), response)
    requests.put(None)
    check(list(call), [])
    check(call.code(), grpc.StatusCode.OK)


def empty_stream():
    check(list(DUPLEX(iter([]), timeout=TIMEOUT)), [])


def check_echo(call):
    check([value for key, value in call.initial_metadata() if key == ECHO[0][0]], [ECHO[0][1]])
    check([value for key, value in call.trailing_metadata() if key == ECHO[1][0]], [ECHO[1][1]])


def custom_metadata():
    check_echo(UNARY.with_call(large(), metadata=ECHO, timeout=TIMEOUT)[1])
    call = DUPLEX(iter([output(314159, payload=payload(271828))]), metadata=ECHO, timeout=TIMEOUT)
    check(len(list(call)), 1)
    check_echo(call)


def status_code_and_message():
    status = new("EchoStatus", code=2, message="test status message")
    wanted = (grpc.StatusCode.UNKNOWN, "test status message")
    check(code_of(lambda: UNARY(new("SimpleRequest", response_status=status), timeout=TIMEOUT)), wanted)
    check(code_of(lambda: DUPLEX(iter([output(response_status=status)]), timeout=TIMEOUT)), wanted)


def special_status_message():
    status = new("EchoStatus", code=2, message=SPECIAL)
    check(code_of(lambda: UNARY(new("SimpleRequest", response_status=status), timeout=TIMEOUT)), (grpc.StatusCode.UNKNOWN, SPECIAL))


def unimplemented(path):
    check(code_of(lambda: CHANNEL.unary_unary(path)(b"", timeout=TIMEOUT))[0], grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_method():
    unimplemented(SERVICE + "UnimplementedCall")


def unimplemented_service():
    unimplemented("/grpc.testing.UnimplementedService/UnimplementedCall")


def cancel_after_begin():
    requests = queue.Queue()
    call = INPUT.future(iter(requests.get, None), timeout=TIMEOUT)
    call.cancel()
    check(call.code(), grpc.StatusCode.CANCELLED)
    requests.put(None)


def cancel_after_first_response():
    requests, call = duplex()
    requests.put(output(31415, payload=payload(27182)))
    check_payload(next(call), 31415)
    call.cancel()
    check(call.code(), grpc.StatusCode.CANCELLED)
    requests.put(None)


def timeout_on_sleeping_server():
    requests, call = duplex(timeout=0.001)
    requests.put(output(payload=payload(27182)))
    check(code_of(lambda: call)[0], grpc.StatusCode.DEADLINE_EXCEEDED)
    requests.put(None)


for name in sys.argv[3:]:
    try:
        globals()[name]()
        print("ok", name, flush=True)
    except Exception as error:  # whatever it is, it is this case's result
        print(f"FAILED {name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", flush=True)
