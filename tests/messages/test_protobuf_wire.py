"""The protobuf wire format against google.protobuf."""

import pytest
from google.protobuf import descriptor_pb2, wrappers_pb2
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages.protobuf_wire import signed, wire_fields


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_of_64_bits(value):
    fields = list(wire_fields(memoryview(wrappers_pb2.Int64Value(value=value).SerializeToString())))
    assert [(number, signed(found)) for number, found in fields] == ([(1, value)] if value else [])


@given(st.binary(max_size=300))
def test_blobs_are_views(blob):
    data = wrappers_pb2.BytesValue(value=blob).SerializeToString()
    for number, found in wire_fields(memoryview(data)):
        assert (number, bytes(found)) == (1, blob)
        assert found.obj is data


def test_fixed_numbers():
    data = b"\x0d\x01\x00\x00\x80" + b"\x11\x02\x00\x00\x00\x00\x00\x00\x80"
    assert list(wire_fields(memoryview(data))) == [(1, 0x8000_0001), (2, 0x8000_0000_0000_0002)]


def test_a_nested_message_walks_like_any_other():
    file = descriptor_pb2.FileDescriptorProto(name="a.proto", message_type=[{"name": "M"}, {"name": "N"}])
    found = [bytes(value) for number, value in wire_fields(memoryview(file.SerializeToString())) if number == 4]
    assert found == [message.SerializeToString() for message in file.message_type]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x08", "break off inside a number"),
        (b"\x08" + b"\xff" * 11, "a number of more than 10 bytes"),
        (b"\x0a\x05ab", "expected 5 bytes at byte 2, found 2"),
        (b"\x0d\x00", "expected 4 bytes"),
        (b"\x0b", "wire type 3"),
    ],
)
def test_bytes_that_are_no_message_are_named(data, says):
    with pytest.raises(DecodeError, match=says):
        list(wire_fields(memoryview(data)))
