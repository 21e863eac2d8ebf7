"""Schemas and messages that ask for too much, each in a few bytes: refused at once, with the limit's name where there is one."""

from __future__ import annotations

import builtins
import json
import struct
import tracemalloc
import zlib

import pytest
from google.protobuf import descriptor_pb2

from bagmill.errors import DecodeError, LimitError
from bagmill.limits import Limits, limits, set_limits
from bagmill.messages import header_stamp_reader, message_decoder
from bagmill.messages.forms import UNREADABLE, ChannelForms
from bagmill.messages.protobuf import protobuf_descriptor
from bagmill.messages.protobuf_bounds import check_num_values
from bagmill.recordings.records import Channel

SEPARATOR = "\n" + "=" * 80 + "\n"
HEAD = b"\0\1\0\0"
F = descriptor_pb2.FieldDescriptorProto


def ros(text: str | bytes, encoding: str = "ros2msg", name: str = "a/msg/B") -> Channel:
    data = text if isinstance(text, bytes) else text.encode()
    return Channel(0, "/x", name, encoding, data, "ros1" if encoding == "ros1msg" else "cdr")


def typed(root: str, **types: str) -> str:
    return root + "".join(f"{SEPARATOR}MSG: a/{name}\n{text}" for name, text in types.items())


def chain(length: int, line: str = "{} x") -> str:
    return typed("T0 x", **{f"T{n}": line.format(*[f"T{n + 1}"] * 2) for n in range(length)}, **{f"T{length}": ""})


TWO_OF_ONE_CLASS = typed("a__msg__C/D x\na/C__msg__D y", C__msg__D="int8 x") + f"{SEPARATOR}MSG: a__msg__C/D\nint8 x\n"


@pytest.mark.parametrize(
    ("text", "encoding", "says"),
    [
        ("float64[10000000] x", "ros2msg", "array `x` is 10,000,000 where at most 1,048,576.*`array_length`"),
        (typed("E[30000000] x", E="uint8 y"), "ros2msg", "`array_length`"),
        (typed("A[1000] x", A="C[1000] c", C="string s"), "ros2msg", "is 1,000,000 where at most 20,000.*`type_fields`"),
        ("string[1000000] x", "ros2msg", "`type_fields`"),
        (chain(70), "ros2msg", "depth of the types inside a/msg/B is 65 where at most 64.*`nesting`"),
        (chain(5000), "ros2msg", "`nesting`"),
        (chain(40, "{} a\n{} b"), "ros1msg", "`type_fields`"),
        (chain(40, "{} a\n{} b"), "ros2msg", "`type_fields`"),
        ("B x", "ros2msg", "a/msg/B stands inside itself: a/msg/B → a/msg/B"),
        (typed("A x", A="B[] b"), "ros2msg", "a/msg/B → a/msg/A → a/msg/B"),
        (typed("E[] x", E=""), "ros1msg", "`x` is a list of a type without fields"),
        (typed("A[] x", A="E[9] e", E=""), "ros1msg", "`x` is a list of a type without fields"),
        ("a" + " " * 1_000_000 + "!", "ros2msg", "is no field, constant or comment"),
        ("float64 x" + " " * 1_000_000 + "!", "ros2msg", "is no field, constant or comment"),
        ("float64[" + "9" * 5000 + "] x", "ros2msg", "is no field, constant or comment"),
        ("string<=" + "9" * 5000 + " x", "ros2msg", "is no field, constant or comment"),
        ("#" * 5_000_000, "ros2msg", "is 5,000,000 where at most 4,194,304.*`schema_bytes`"),
        ("int8 class\nint8 class_", "ros2msg", "conflicting"),
        (TWO_OF_ONE_CLASS, "ros2msg", "told apart"),
        ("module a { module msg { struct B { long x[1 << 999]; }; }; };", "ros2idl", "shifts by 999"),
    ],
)  # fmt: skip
def test_a_definition_that_asks_for_too_much_is_refused(text: str, encoding: str, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        message_decoder(ros(text, encoding))
    assert header_stamp_reader(ros(text, encoding)) is None
    assert ChannelForms(ros(text, encoding)).take([HEAD, HEAD]) == [UNREADABLE] * 2


def test_what_is_just_within_the_limits_is_read() -> None:
    message = message_decoder(ros(chain(60), "ros2msg"))(HEAD + bytes(1))
    for _ in range(60):
        message = message.x
    assert len(message_decoder(ros("string[4000] x"))(HEAD + struct.pack("<I4x", 1) * 4000).x) == 4000
    assert message_decoder(ros("float64[1000000] x"))(HEAD + bytes(8_000_000)).x.sum() == 0
    assert len(message_decoder(ros(typed("E[100] x", E=""), "ros1msg"))(b"").x) == 100


HOSTILE = "__import__('builtins').__setattr__('owned', 1)"
INJECTIONS = {
    "a constant's text": f"string X=\"'''; {HOSTILE} #\"\nfloat64 x",
    "a constant's text over lines": f"string X=a\\n'''\t{HOSTILE}\\\nfloat64 x",
    "a constant's number": f"int32 X={HOSTILE}\nfloat64 x",
    "a default": f'string x "{HOSTILE}"\nfloat64 y 1.0',
    "a comment": f"float64 x # '''\"\"\" {HOSTILE}",
    "endless constants": "float64 A=1e999\nfloat64 B=nan\nint64 C=0x" + "f" * 10_000 + "\nfloat64 x",
}


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_texts_in_a_definition_are_never_code(text: str) -> None:
    message_decoder(ros(text))
    assert not hasattr(builtins, "owned")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (f"float64 x;{HOSTILE}", "ros2msg"),
        (f"float64 x\n{SEPARATOR}MSG: a/B'''{HOSTILE}\nint8 x", "ros2msg"),
        ("int8 ünïcode", "ros2msg"),
        ("/msg/../x y", "ros2msg"),
        (f'module a {{ module msg {{ struct B {{ long "{HOSTILE}"; }}; }}; }};', "ros2idl"),
        ('module a { module msg { struct B { "x" y; }; }; };', "ros2idl"),
        ("module a { module msg { struct B { long __class__; }; }; };", "ros2idl"),
        ("module a { module msg { struct B { x::__init__ y; }; struct ) { long x; }; }; };", "ros2idl"),
    ],
)
def test_names_that_are_none_are_refused(text: str, encoding: str) -> None:
    with pytest.raises(DecodeError):
        message_decoder(ros(text, encoding))
    assert not hasattr(builtins, "owned")


def test_fields_may_be_called_as_what_the_code_around_them_uses() -> None:
    names = (
        "self",
        "cls",
        "values",
        "pos",
        "np",
        "T",
        "dataclass",
        "int",
        "sys",
        "print",
        "None",
        "field",
        "typestore",
    )
    message = message_decoder(ros("".join(f"int8 {name}\n" for name in names)))(HEAD + bytes(range(len(names))))
    assert [getattr(message, "None_" if name == "None" else name) for name in names] == list(range(len(names)))


def test_lists_of_small_messages_may_not_fill_the_memory() -> None:
    decode = message_decoder(ros(typed("A[] x", A="uint8 y")))
    assert len(decode(HEAD + struct.pack("<I", 3) + b"abc").x) == 3
    with pytest.raises(DecodeError, match="`message_values`"):
        decode(HEAD + struct.pack("<I", 5_000_000) + bytes(5_000_000))


JSON = Channel(0, "/x", "x", "jsonschema", b"{}", "json")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a":' * 900 + b"1" + b"}" * 900, "depth of a JSON message is 65 where at most 64.*`nesting`"),
        (b"[" * 1_000_000, "recursion"),
        (b"1" * 100_000, "digits"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\xed\xa0\x80": 1}', "can't decode"),
        (b"[" + b"0," * 5_000_000 + b"0]", "`message_values`"),
    ],
)
def test_json_that_asks_for_too_much_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        message_decoder(JSON)(data)
    assert ChannelForms(JSON).take([data]) == [UNREADABLE]
    stamp = header_stamp_reader(JSON)
    assert stamp is not None
    with pytest.raises(DecodeError):
        stamp(data)


def test_json_within_the_limits_is_read() -> None:
    deep = b'{"a":' * 60 + b"1" + b"}" * 60
    assert message_decoder(JSON)(deep) == json.loads(deep)
    assert message_decoder(JSON)(b'{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


def descriptors(*fields: dict[str, object], **entry: object) -> descriptor_pb2.FileDescriptorSet:
    """A message `p.M` with a map `p.M.E`, and changes to them."""
    files = descriptor_pb2.FileDescriptorSet()
    file = files.file.add(name="m.proto", package="p", syntax="proto3")
    message = file.message_type.add(name="M")
    message.field.add(name="n", number=1, type=F.TYPE_INT32, label=F.LABEL_OPTIONAL)
    message.field.add(name="me", number=2, type=F.TYPE_MESSAGE, type_name=".p.M", label=F.LABEL_REPEATED)
    message.field.add(name="map", number=3, type=F.TYPE_MESSAGE, type_name=".p.M.E", label=F.LABEL_REPEATED)
    for field in fields:
        message.field.add(**field)  # type: ignore[arg-type]
    nested = message.nested_type.add(name="E")
    key = {"name": "key", "number": 1, "type": F.TYPE_STRING, "label": F.LABEL_OPTIONAL, **entry}
    nested.field.add(**key)  # type: ignore[arg-type]
    nested.field.add(name="value", number=2, type=F.TYPE_INT64, label=F.LABEL_OPTIONAL)
    nested.options.map_entry = True
    return files


def field(kind: int, type_name: str = "", **more: object) -> dict[str, object]:
    return {"name": "o", "number": 4, "type": kind, "type_name": type_name or None, "label": 1, **more}


def protobuf(files: descriptor_pb2.FileDescriptorSet) -> Channel:
    return Channel(0, "/x", "p.M", "protobuf", files.SerializeToString(), "protobuf")


def test_a_map_and_a_type_inside_itself_are_read() -> None:
    decode = message_decoder(protobuf(descriptors()))
    message = decode(bytes.fromhex("0805 1202 0807 1a05 0a01 7a10 04".replace(" ", "")))
    assert (message.n, message.me[0].n, dict(message.map)) == (5, 7, {"z": 4})
    assert ChannelForms(protobuf(descriptors())).take([message.SerializeToString()]) == [0]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (descriptors(number=3), "entries of the protobuf map p.M.E are not made of a key 1 and a value 2"),
        (descriptors(type=F.TYPE_DOUBLE), "not made of a key"),
        (descriptors(label=F.LABEL_REPEATED), "not made of a key"),
        (descriptors(field(F.TYPE_MESSAGE, ".p.M.E")), "map that is not its own"),
        (descriptors(field(F.TYPE_GROUP, ".p.M.E", label=3)), "map that is no message"),
        (descriptors(field(F.TYPE_ENUM, ".p.M")), "of another kind"),
        (descriptors(field(F.TYPE_MESSAGE, ".p.X")), "not among the descriptors"),
        (descriptors(field(F.TYPE_MESSAGE)), "does not say its type"),
        (descriptors(field(F.TYPE_INT32, number=0)), "the number 0, which none can have"),
        (descriptors(field(F.TYPE_INT32, number=1)), "one name or number"),
        (descriptors(field(F.TYPE_INT32, name="o'x")), "is no name of a protobuf type or field"),
        (descriptors(field(F.TYPE_INT32, oneof_index=7)), "a oneof that is not there"),
    ],
)  # fmt: skip
def test_descriptors_that_no_compiler_writes_are_refused(files: descriptor_pb2.FileDescriptorSet, says: str) -> None:
    """The library trusts them, and ends the process over some."""
    with pytest.raises(DecodeError, match=says):
        message_decoder(protobuf(files))


def test_files_of_descriptors_in_a_circle_or_twice_are_refused() -> None:
    files = descriptors()
    files.file.add(name="n.proto", dependency=["m.proto"])
    files.file[0].dependency.append("n.proto")
    with pytest.raises(DecodeError, match="depend on each other in a circle"):
        message_decoder(protobuf(files))
    files = descriptors()
    files.file.append(files.file[0])
    with pytest.raises(DecodeError, match="have one name"):
        message_decoder(protobuf(files))


def test_files_that_only_say_how_messages_are_checked_may_be_left_out() -> None:
    files = descriptors()
    files.file[0].dependency.append("validate.proto")
    assert message_decoder(protobuf(files))(b"\x08\x05").n == 5


def test_types_declared_inside_too_many_others_are_refused() -> None:
    files = descriptors()
    inner = files.file[0].message_type[0]
    for n in range(80):
        inner = inner.nested_type.add(name=f"N{n}")
    with pytest.raises(DecodeError, match=r"`nesting`"):
        message_decoder(protobuf(files))


def test_protobuf_messages_of_too_many_levels_are_refused() -> None:
    data = b""
    for level in range(90):
        data = b"\x12" + _varint(len(data)) + data
        if level == 50:
            assert message_decoder(protobuf(descriptors()))(data).me
    with pytest.raises(DecodeError, match="depth of a protobuf message.*`nesting`"):
        message_decoder(protobuf(descriptors()))(data)


def test_protobuf_messages_of_too_many_parts_are_refused() -> None:
    """Two bytes each, and every one has room for all fields of its type."""
    many = [{"name": f"f{n}", "number": 10 + n, "type": F.TYPE_INT64, "label": 1} for n in range(1000)]
    decode = message_decoder(protobuf(descriptors(*many)))
    assert len(decode(b"\x12\x00" * 1000).me) == 1000
    with pytest.raises(DecodeError, match="`message_values`"):
        decode(b"\x12\x00" * 100_000)


@pytest.mark.parametrize("part", [b"\x12\x00", b"\x12\x02\x12\x00", b"\x38\x01"])
def test_protobuf_messages_of_many_parts_are_counted_in_little_memory(part: bytes) -> None:
    """Empty ones, ones with another inside, and numbers of a field that the type does not have."""
    data = part * 1_000_000
    before = limits()
    set_limits(Limits(message_values=100_000))
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="`message_values`"):
            check_num_values(data, protobuf_descriptor(protobuf(descriptors())))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
        set_limits(before)


def test_the_count_of_protobuf_values_is_that_of_all_parts_with_the_fields_of_their_types() -> None:
    """3 fields of the message; a part and its 3, the one inside and its 3, a number; bytes of an unknown field, a number."""
    kind = protobuf_descriptor(protobuf(descriptors()))
    data = b"\x12\x04\x12\x00\x08\x01" + b"\x7a" + _varint(1 << 16) + bytes(1 << 16) + b"\x08\x05"
    before = limits()
    try:
        set_limits(Limits(message_values=14))
        check_num_values(data, kind)
        set_limits(Limits(message_values=13))
        with pytest.raises(LimitError, match="is 14 where at most 13"):
            check_num_values(data, kind)
    finally:
        set_limits(before)


def test_a_field_may_be_called_as_the_librarys_own_attributes() -> None:
    names = ("DESCRIPTOR", "HasField", "ListFields")
    fields = [{"name": name, "number": 10 + n, "type": F.TYPE_INT32, "label": 1} for n, name in enumerate(names)]
    channel = protobuf(descriptors(*fields))
    data = b"".join(bytes([(10 + n) << 3, 7]) for n in range(len(names)))
    assert ChannelForms(channel).take([data]) == [0]


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def test_limits_that_are_set_count() -> None:
    before = limits()
    set_limits(Limits(array_length=7, nesting=2))
    try:
        with pytest.raises(DecodeError, match="is 8 where at most 7"):
            message_decoder(ros("float64[8] x", name="a/msg/Own"))
        with pytest.raises(DecodeError, match="is 3 where at most 2"):
            message_decoder(JSON)(b"[[[1]]]")
    finally:
        set_limits(before)


def test_a_png_bomb_beside_the_pixels_is_passed_over(cdr) -> None:
    from bagmill.messages import image_decoder, to_depth

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 16, 0, 0, 0, 0))
    bomb = zlib.compress(bytes(100_000_000))
    rows = b"".join(b"\0" + struct.pack(">3H", n, n + 1, n + 2) for n in (1, 500))
    file = b"\x89PNG\r\n\x1a\n" + header + chunk(b"iCCP", b"x\0\0" + bomb) + chunk(b"zTXt", b"x\0\0" + bomb)
    file += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"") + chunk(b"IDAT", b"behind")
    name = "sensor_msgs/msg/CompressedImage"
    payload = image_decoder(cdr.channel(name))(cdr.pack(name, {"format": "png", "data": list(file)}))
    assert to_depth(payload).tolist() == [[1, 2, 3], [500, 501, 502]]
