#!/usr/bin/python3
"""The codec's JSON against google.protobuf.json_format: random messages of every type, both ways.

    json_agrees.py BUILD-FOLDER

For each message: our JSON means what json_format's means, json_format reads ours as the same message, and we read
json_format's as the same message. CODEC_SEED and CODEC_ROUNDS (messages a type) set others than the ones printed.
"""
import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor

MAX_DEPTH = 4
ANY_TYPES = [
    "google.protobuf.Duration", "google.protobuf.Timestamp", "google.protobuf.FieldMask",
    "google.protobuf.Int64Value", "google.protobuf.StringValue", "google.protobuf.Empty",
    "google.protobuf.Any", "google.rpc.ErrorInfo", "google.rpc.BadRequest", "throughline.event.v1.Event",
]
PIECES = ["a", "Z", "9", "_", " ", ".", ",", '"', "\\", "/", "\n", "\x01", "\x7f", "ü", "€", "𝄞", "\u2028", "null"]
INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-2**31, 2**31 - 1), FieldDescriptor.TYPE_SINT32: (-2**31, 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-2**31, 2**31 - 1), FieldDescriptor.TYPE_INT64: (-2**63, 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-2**63, 2**63 - 1), FieldDescriptor.TYPE_SFIXED64: (-2**63, 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1), FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1), FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}
# No -0.0: protobuf-c takes it for the default and leaves it out.
DOUBLES = [0.0, 0.1, 1 / 3, 1e300, 5e-324, 1e22, 123456789012345680.0, 100.0, float("nan"), float("inf"), float("-inf")]
# No subnormal float and not the largest: json_format prints the first longer than need be and refuses its own
# text of the second.
FLOATS = [0.0, 0.10000000149011612, 2.9999999006160957e38, 1.1754943508222875e-38, 16777216.0, float("nan"), float("inf")]

# What both must refuse, as an Everything.
BAD = [
    '{"aInt32":2147483648}', '{"aInt32":1.5}', '{"aInt32":"x"}', '{"aInt64":"9223372036854775808"}', '{"aUint64":-1}',
    '{"aBool":1}', '{"aColor":"PINK"}', '{"aString":1}', '{"manyInt32":1}', '{"manyInt32":[null]}',
    '{"mapBool":{"yes":1}}', '{"time":"yesterday"}', '{"time":"2026-02-30T00:00:00Z"}', '{"duration":"1"}',
    '{"mask":"home_address"}', '{"oneBool":true,"oneString":"x"}', '{"nothing":1}', "{",
    '{"aInt32":1,"aInt32":2}', '{"any":{"@type":"type.googleapis.com/no.such.Type"}}', '{"aFloat":1e39}',
]


class Tool:
    """The C side, one line for each record."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, direction, name, data):
        name = name.encode()
        self.process.stdin.write(direction + struct.pack("<I", len(name)) + name + struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("json_tool ended with code %s" % self.process.wait())
        return line[:-1].decode()


class Maker:
    """Random messages that json_format can write: it knows no form for a time past the year 9999."""

    def __init__(self, pool, seed):
        self.pool = pool
        self.factory = message_factory.MessageFactory(pool)
        self.random = random.Random(seed)

    def new(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))()

    def text(self):
        return "".join(self.random.choices(PIECES, k=self.random.randrange(6)))

    def scalar(self, field):
        r = self.random
        if field.type in INTEGERS:
            low, high = INTEGERS[field.type]
            return r.choice([low, high, 0, 1, r.randint(low, high), r.randrange(1000)])
        if field.type == FieldDescriptor.TYPE_ENUM:
            values = [value.number for value in field.enum_type.values]
            is_open = field.file.syntax == "proto3"
            return r.choice(values + [12345]) if is_open else r.choice(values)
        if field.type == FieldDescriptor.TYPE_DOUBLE:
            return r.choice(DOUBLES + [r.uniform(-1e6, 1e6)])
        if field.type == FieldDescriptor.TYPE_FLOAT:
            return r.choice(FLOATS + [r.uniform(-1e6, 1e6)])
        if field.type == FieldDescriptor.TYPE_BOOL:
            return r.random() < 0.5
        return self.text() if field.type == FieldDescriptor.TYPE_STRING else r.randbytes(r.randrange(12))

    def fill_well_known(self, message):
        """True when the type is one whose values are not all allowed."""
        r = self.random
        name = message.DESCRIPTOR.full_name
        nanos = r.choice([0, 500000000, 120000, 1, 999999999])
        if name == "google.protobuf.Timestamp":
            message.seconds = r.choice([0, -1, -62135596800, 253402300799, r.randint(-10**10, 10**10)])
            message.nanos = nanos
        elif name == "google.protobuf.Duration":
            message.seconds = r.choice([0, 315576000000, r.randrange(10**6)]) * (sign := r.choice([1, -1]))
            message.nanos = nanos * sign
        elif name == "google.protobuf.FieldMask":
            message.paths.extend(r.sample(["name", "home_address.city", "a_b_c", "x"], r.randrange(4)))
        else:
            return False
        return True

    def fill_any(self, message, depth):
        inside = self.new(self.random.choice(ANY_TYPES))
        if depth < MAX_DEPTH:
            self.fill(inside, depth + 1)
            message.Pack(inside)

    def fill_map(self, message, field, depth):
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        entries = getattr(message, field.name)
        for _ in range(self.random.randrange(4)):
            if value.message_type:
                self.fill(entries[self.scalar(key)], depth + 1)
            else:
                entries[self.scalar(key)] = self.scalar(value)

    def fill_field(self, message, field, depth):
        is_repeated = field.label == FieldDescriptor.LABEL_REPEATED
        if is_repeated and field.message_type and field.message_type.GetOptions().map_entry:
            self.fill_map(message, field, depth)
        elif is_repeated and field.message_type:
            for _ in range(self.random.randrange(4)):
                self.fill(getattr(message, field.name).add(), depth + 1)
        elif is_repeated:
            getattr(message, field.name).extend(self.scalar(field) for _ in range(self.random.randrange(4)))
        elif field.message_type:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self.fill(inner, depth + 1)
        else:
            setattr(message, field.name, self.scalar(field))

    def fill(self, message, depth=0):
        if self.fill_well_known(message):
            return message
        if message.DESCRIPTOR.full_name == "google.protobuf.Any":
            self.fill_any(message, depth)
            return message
        for field in message.DESCRIPTOR.fields:
            is_needed = field.label == FieldDescriptor.LABEL_REQUIRED
            if (field.message_type and depth >= MAX_DEPTH) or (not is_needed and self.random.random() < 0.35):
                continue
            self.fill_field(message, field, depth)
        return message


def open_anys(maker, message):
    """Packs what is inside every Any again, in the one order of "deterministic"."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Any" and message.type_url:
        inside = maker.new(message.type_url.split("/")[-1])
        inside.ParseFromString(message.value)
        message.value = same(maker, inside)
    for field, value in message.ListFields():
        if field.message_type and field.label == FieldDescriptor.LABEL_REPEATED:
            is_map = field.message_type.GetOptions().map_entry
            for item in value.values() if is_map else value:
                if hasattr(item, "DESCRIPTOR"):
                    open_anys(maker, item)
        elif field.message_type:
            open_anys(maker, value)


def same(maker, message):
    """Equal messages have equal ones of these; NaN is equal to itself here."""
    copy = maker.new(message.DESCRIPTOR.full_name)
    copy.CopyFrom(message)
    open_anys(maker, copy)
    return copy.SerializeToString(deterministic=True)


def disagreement(tool, maker, name):
    """What one random message of the type shows, None when all is well."""
    pool = maker.pool
    message = maker.fill(maker.new(name))
    theirs = json_format.MessageToJson(message, descriptor_pool=pool)
    ours = tool.ask(b"j", name, message.SerializeToString())
    if ours.startswith("!"):
        return "we refuse the wire form: " + ours
    if json.loads(ours) != json.loads(theirs):
        return "the JSON differs:\n    ours   %s\n    theirs %s" % (ours, json.dumps(json.loads(theirs)))
    try:
        read = json_format.Parse(ours, maker.new(name), descriptor_pool=pool)
    except json_format.ParseError as error:
        return "json_format refuses our JSON: %s\n    %s" % (error, ours)
    if same(maker, read) != same(maker, message):
        return "json_format reads our JSON as another message: " + ours
    wire = tool.ask(b"w", name, theirs.encode())
    if wire.startswith("!"):
        return "we refuse json_format's JSON: %s\n    %s" % (wire, theirs)
    back = maker.new(name)
    back.ParseFromString(bytes.fromhex(wire))
    return None if same(maker, back) == same(maker, message) else "we read json_format's JSON as another message: " + theirs


def both_refuse(tool, maker, text):
    try:
        json_format.Parse(text, maker.new("throughline.test.v1.Everything"), descriptor_pool=maker.pool)
        return "json_format takes " + text
    except (json_format.ParseError, TypeError):
        pass
    answer = tool.ask(b"w", "throughline.test.v1.Everything", text.encode())
    return None if answer.startswith("!JSON_") else "we take " + text


def load(pool, path):
    """Adds a descriptor set's files; names of its message types, those of map entries left out."""
    names = []

    def collect(prefix, messages):
        for message in messages:
            if not message.options.map_entry:
                names.append(prefix + message.name)
            collect(prefix + message.name + ".", message.nested_type)

    for file in descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file:
        pool.Add(file)
        collect(file.package + ".", file.message_type)
    return names


def default_rounds():
    """Messages of each type: few in the quick run, more in CI, many in the long run."""
    if os.environ.get("THROUGHLINE_QUICK") != "1":
        return 100
    return 20 if os.environ.get("THROUGHLINE_CI") == "1" else 8


def main():
    build = Path(sys.argv[1])
    here = build / "tests/unit/codec"
    seed = int(os.environ.get("CODEC_SEED") or random.SystemRandom().randrange(2**62))
    rounds = int(os.environ.get("CODEC_ROUNDS") or default_rounds())
    pool = descriptor_pool.DescriptorPool()
    names = sorted(set(load(pool, build / "proto/generated/throughline.binpb") + load(pool, here / "everything.binpb")))
    tool = Tool(here / "json_tool")
    maker = Maker(pool, seed)
    passed = failed = 0

    print("  CODEC_SEED=%d, %d messages of each of %d types" % (seed, rounds, len(names)))
    cases = [(name, lambda name=name: next(filter(None, (disagreement(tool, maker, name) for _ in range(rounds))), None))
             for name in names]
    cases += [(text, lambda text=text: both_refuse(tool, maker, text)) for text in BAD]
    for name, case in cases:
        wrong = case()
        if wrong:
            print("  FAILED %s: %s" % (name, wrong))
        passed, failed = passed + (wrong is None), failed + (wrong is not None)
    print("json_agrees: %d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
