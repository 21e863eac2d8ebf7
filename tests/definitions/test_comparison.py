"""Two definitions of one type: what counts as the same, what differs, and what both say together."""

import json

import pytest
from google.protobuf import descriptor_pb2, timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st
from rosbags.typesys import Stores, get_typestore

from bagmill.definitions import Schema, differences, fuller, means_the_same

NAME = "sensor_msgs/msg/JointState"
SEPARATOR = "=" * 80
TEXT = get_typestore(Stores.ROS2_HUMBLE).generate_msgdef(NAME, ros_version=2)[0]
ROOT, HEADER, TIME = (part for part in TEXT.split(SEPARATOR + "\n"))
IDL = """================================================================================
IDL: sensor_msgs/msg/JointState
// generated from rosidl_adapter/resource/msg.idl.em
// with input from sensor_msgs/msg/JointState.msg
#include "std_msgs/msg/Header.idl"

module sensor_msgs {
  module msg {
    @verbatim (language="comment", text=
      "This is a message; it holds data." "\\n" "{ } (in rad)")
    struct JointState {
      std_msgs::msg::Header header;

      sequence<string> name;
      sequence<double> position;
      @unit(value="rad/s")
      sequence<double> velocity;
      sequence<double> effort;
    };
  };
};
================================================================================
IDL: std_msgs/msg/Header
module std_msgs { module msg { struct Header { builtin_interfaces::msg::Time stamp; string frame_id; }; }; };
================================================================================
IDL: builtin_interfaces/msg/Time
module builtin_interfaces { module msg { struct Time { int32 sec; unsigned long nanosec; }; }; };
"""


def ros2(text: str, *, encoding: str = "ros2msg", name: str = NAME, type_hash: str = "") -> Schema:
    return Schema(name, encoding, text.encode(), "cdr", type_hash)


SAME = {
    "itself": TEXT,
    "a comment": "# made by another tool\n" + TEXT,
    "a newline at the end": TEXT + "\n",
    "blank lines and spaces": TEXT.replace("float64[] ", "\n   float64[]   "),
    "Windows": TEXT.replace("\n", "\r\n"),
    "full names": TEXT.replace("std_msgs/Header", "std_msgs/msg/Header"),
    "sections in another order": SEPARATOR.join([ROOT, "\n" + TIME, "\n" + HEADER]),
    "unqualified": TEXT.replace("std_msgs/Header header", "Header header"),
    "nothing": "",
    "only a comment": "# nothing\n",
    "without its dependencies": ROOT,
    "without one of them": SEPARATOR.join([ROOT, "\n" + HEADER]),
    "with an unrelated section": TEXT + SEPARATOR + "\nMSG: demo/Other\nint8 x\n",
    "with bounds": TEXT.replace("string[] name", "string<=40[<=100] name"),
}
DIFFERENT = {
    "`effort` is float32[] in one and float64[] in another": TEXT.replace("float64[] effort", "float32[] effort"),
    "`velocity` is float64 in one and float64[] in another": TEXT.replace("float64[] velocity", "float64 velocity"),
    "only one has `current` (float64[])": TEXT.replace("float64[] effort", "float64[] effort\nfloat64[] current"),
    "only one has `effort` (float64[])": TEXT.replace("float64[] effort\n", ""),
    "only one has `ON` (uint8 = 1)": "uint8 ON=1\n" + TEXT,
    "its fields stand in another order "
    "(header, name, velocity, position, effort; header, name, position, velocity, effort)": TEXT.replace(
        "float64[] position\nfloat64[] velocity", "float64[] velocity\nfloat64[] position"
    ),
    "`nanosec` is uint64 in one and uint32 in another of builtin_interfaces/msg/Time": TEXT.replace(
        "uint32 nanosec", "uint64 nanosec"
    ),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_what_means_the_same(text: str) -> None:
    for one, other in ((TEXT, text), (text, TEXT)):
        assert means_the_same(ros2(one), ros2(other))
        assert differences(ros2(one), ros2(other)) == ""
        both = fuller(ros2(one), ros2(other))
        assert means_the_same(both, ros2(TEXT))
        # Nothing is lacking any more: a difference anywhere shows.
        assert differences(both, ros2(DIFFERENT[next(reversed(DIFFERENT))])) != ""


@pytest.mark.parametrize(("what", "text"), DIFFERENT.items())
def test_what_differs_is_told_field_by_field(what: str, text: str) -> None:
    assert not means_the_same(ros2(text), ros2(TEXT))
    assert not means_the_same(ros2(TEXT), ros2(text))
    assert differences(ros2(text), ros2(TEXT)) == what


def test_values_of_constants_count_and_not_their_spelling() -> None:
    text = "uint8 A=16\nfloat32 B=1.50\nbool C=True\nstring D=x\nint32 v\n"
    same = 'uint8 A = 0x10 # hex\nfloat32 B = 1.5\nbool C = 1\nstring D="x"\nint32 v\n'
    assert means_the_same(ros2(text, name="demo/msg/A"), ros2(same, name="demo/msg/A"))
    other = text.replace("A=16", "A=17")
    assert differences(ros2(text, name="demo/msg/A"), ros2(other, name="demo/msg/A")) == (
        "`A` is uint8 = 16 in one and uint8 = 17 in another"
    )


def test_a_constant_of_thousands_of_digits_is_told_as_it_is_written() -> None:
    one, other = (ros2(f"uint8 A=0x{digit * 5000}\nint32 v\n", name="demo/msg/A") for digit in "ab")
    assert differences(one, other) == f"`A` is uint8 = 0x{'a' * 5000} in one and uint8 = 0x{'b' * 5000} in another"


def test_a_gap_is_not_filled_against_the_types_hash() -> None:
    one, other = ros2(TEXT, type_hash="RIHS01_1"), ros2(ROOT, type_hash="RIHS01_2")
    assert not means_the_same(one, other)
    assert differences(one, other) == "the types' hashes, RIHS01_1 and RIHS01_2"
    assert means_the_same(one, ros2("", type_hash="*"))
    assert not means_the_same(one, ros2("", type_hash="RIHS01_2"))
    assert means_the_same(one, ros2(TEXT + "\n", type_hash="RIHS01_2")), "the texts are whole, and say the same"


def test_idl_and_msg_of_one_type_mean_the_same() -> None:
    idl = ros2(IDL, encoding="ros2idl")
    assert means_the_same(idl, ros2(TEXT))
    assert fuller(ros2(ROOT), idl).encoding == "ros2idl", "it has what the other lacks"
    changed = ros2(IDL.replace("sequence<double> effort", "sequence<float> effort"), encoding="ros2idl")
    assert differences(ros2(TEXT), changed) == "`effort` is float64[] in one and float32[] in another"


def test_texts_that_cannot_be_parsed_are_compared_line_by_line() -> None:
    one, other = ros2("int x;  # a\n", name="demo/msg/A"), ros2("\n  int   x;\n", name="demo/msg/A")
    assert means_the_same(one, other)
    assert not means_the_same(one, ros2("int y;", name="demo/msg/A"))
    assert "cannot be read" in differences(one, ros2("int y;", name="demo/msg/A"))


def test_ros1_names_of_integers_are_the_same() -> None:
    one, other = (Schema("demo/msg/A", "ros1msg", text, "ros1") for text in (b"byte a\nchar b", b"int8 a\nuint8 b"))
    assert means_the_same(one, other)
    # In ROS 2 a byte has no sign.
    assert not means_the_same(ros2("byte a", name="demo/msg/A"), ros2("int8 a", name="demo/msg/A"))


def test_json_schemas_are_compared_without_what_is_for_people() -> None:
    def schema(document: object) -> Schema:
        return Schema("State", "jsonschema", json.dumps(document).encode(), "json")

    one = schema({"type": "object", "properties": {"title": {"type": "number"}, "x": {"type": "number"}}})
    same = {
        "title": "State",
        "properties": {"x": {"description": "metres", "type": "number"}, "title": {"type": "number"}},
    }
    assert means_the_same(one, schema({**same, "type": "object"}))
    assert not means_the_same(one, schema({"type": "object", "properties": {"x": {"type": "number"}}}))


def test_protobuf_descriptors_are_compared_without_comments_and_order() -> None:
    own = descriptor_pb2.FileDescriptorProto(
        name="own.proto", package="demo", syntax="proto3", dependency=["google/protobuf/timestamp.proto"]
    )
    own.message_type.add(name="State").field.add(
        name="at", number=1, type="TYPE_MESSAGE", type_name=".google.protobuf.Timestamp"
    )
    stamp = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(stamp)
    commented = descriptor_pb2.FileDescriptorProto()
    commented.CopyFrom(own)
    commented.source_code_info.location.add(leading_comments="a comment")
    changed = descriptor_pb2.FileDescriptorProto()
    changed.CopyFrom(own)
    changed.message_type[0].field[0].number = 2

    def schema(*files: descriptor_pb2.FileDescriptorProto) -> Schema:
        data = descriptor_pb2.FileDescriptorSet(file=files).SerializeToString()
        return Schema("demo.State", "protobuf", data, "protobuf")

    assert means_the_same(schema(own, stamp), schema(stamp, commented))
    assert not means_the_same(schema(own, stamp), schema(changed, stamp))


@given(
    lines=st.permutations(["float64 x", "int32[3] y", "string z", "uint8 A=1", "other/Part part"]),
    noise=st.lists(st.sampled_from(["", "# said", "   # x y", "\t"]), min_size=5, max_size=5),
)
def test_comments_and_blank_lines_never_change_the_meaning(lines: list[str], noise: list[str]) -> None:
    plain = "\n".join(lines)
    noisy = "\n".join(f"{around}\n  {line}  {around.strip()}" for line, around in zip(lines, noise, strict=True))
    assert means_the_same(ros2(plain, name="demo/msg/A"), ros2(noisy, name="demo/msg/A"))
    fields = [line for line in lines if "=" not in line]
    swapped = "\n".join([*reversed(fields), "uint8 A=1"])
    assert not means_the_same(ros2(plain, name="demo/msg/A"), ros2(swapped, name="demo/msg/A"))
