"""Numbers read by their places, against the decoder that reads message by message."""

import struct

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import signal_decoder, signal_layout_finder

JOINT_STATE = "sensor_msgs/msg/JointState"
NAMES = ("hip", "toe", "arm")

WORD = st.text(max_size=5)
INNER = st.fixed_dictionaries(
    {
        "note": WORD,
        "x": st.floats(width=32),
        "flag": st.integers(0, 255),
        "list": st.lists(st.integers(-9, 9), max_size=3),
    }
)
PARTS = {
    **{
        f"{kind}{shape}": (kind, shape)
        for kind in ("bool", "int8", "float32", "float64")
        for shape in ("", "[2]", "[]")
    },
    **{f"{kind}[]": (kind, "[]") for kind in ("byte", "char", "uint8", "int16", "uint16", "int32", "uint32")},
    **{kind: (kind, "") for kind in ("int64", "uint64", "string")},
    **{f"{kind}{shape}": (kind, shape) for kind in ("string", "test_msgs/Inner") for shape in ("[2]", "[]")},
    "test_msgs/Inner": ("test_msgs/Inner", ""),
    "builtin_interfaces/Time[]": ("builtin_interfaces/Time", "[]"),
    "std_msgs/Empty[2]": ("std_msgs/Empty", "[2]"),
}
ITEMS = {
    "bool": st.booleans(),
    "float32": st.floats(width=32),
    "float64": st.floats(),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "string": WORD,
    "test_msgs/Inner": INNER,
    "builtin_interfaces/Time": st.fixed_dictionaries({"sec": st.integers(0, 9)}),
    "std_msgs/Empty": st.just({}),
}
DEFINITION = f"\n{'=' * 80}\nMSG: test_msgs/Inner\nstring note\nfloat32 x\nuint8 flag\nint16[] list\n"


def values_of(part: str) -> st.SearchStrategy:
    kind, shape = PARTS[part]
    item = ITEMS.get(kind, st.integers(0, 100))
    return (
        item if not shape else st.lists(item, min_size=2 if shape == "[2]" else 0, max_size=2 if shape == "[2]" else 3)
    )


def rows(*payloads: bytes) -> np.ndarray:
    return np.frombuffer(b"".join(payloads), np.uint8).reshape(len(payloads), -1)


@settings(max_examples=40)
@given(
    parts=st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=6),
    changes=st.lists(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=3), max_size=12),
    data=st.data(),
)
def test_what_fits_has_the_decoders_numbers_bit_for_bit(wire, parts, changes, data):
    name = "test_msgs/msg/Any"
    wire = wire.with_type(name, "".join(f"{part} part{n}\n" for n, part in enumerate(parts)) + DEFINITION)
    channel = wire.channel(name)
    payload = wire.pack(name, {f"part{n}": data.draw(values_of(part)) for n, part in enumerate(parts)})
    assume(payload)  # of empty parts alone, ROS 1 makes no bytes
    changed = []
    for places in changes:
        copy = bytearray(payload)
        for at, byte in places:
            copy[at % len(copy)] = byte
        changed.append(bytes(copy))
    for n in range(len(parts)):
        decode = signal_decoder(channel, f"part{n}")
        try:
            width = len(decode(payload))
        except DecodeError:  # text, or a stamp
            continue
        layout = signal_layout_finder(channel, f"part{n}")(payload)
        block = rows(payload, *changed)
        fits = layout.fits(block)
        # Whole numbers beyond 2⁵³ are looked at one by one, those that float64 does hold, too.
        is_beyond = PARTS[parts[n]][0] in ("int64", "uint64") and np.abs(decode(payload)).max() > 2**53
        assert fits[0] == (not is_beyond)
        for message, numbers in zip(block[fits], layout.numbers(block[fits]), strict=True):
            expected = decode(message.tobytes())
            assert len(expected) == width
            assert numbers.tobytes() == expected.tobytes()


def joints(wire, names, values, frame_id="base"):
    return wire.pack(
        JOINT_STATE, {"header": {"stamp": {"sec": 7}, "frame_id": frame_id}, "name": names, "position": values}
    )


def test_other_numbers_and_other_ascii_fit(wire):
    layout = signal_layout_finder(wire.channel(JOINT_STATE), "position")(joints(wire, NAMES, [1, 2, 3], "é/é"))
    block = rows(joints(wire, NAMES, [4, 5, 6], "é/é"), joints(wire, ("a/b", "c/d", "e/f"), [7, 8, 9], "other"))
    assert layout.fits(block).tolist() == [True, True]
    assert layout.numbers(block).tolist() == [[4, 5, 6], [7, 8, 9]]


def test_text_that_is_no_utf_8_does_not_fit(wire):
    payload = joints(wire, NAMES, [1, 2, 3], "é/é")
    layout = signal_layout_finder(wire.channel(JOINT_STATE), "position")(payload)
    assert layout.fits(rows(payload.replace("é/é".encode(), b"\xc3/\xc3/z"))).tolist() == [False]
    # Half of it as it was and half ASCII is not enough.
    assert layout.fits(rows(payload.replace("é/é".encode(), b"\xc3z/ab"))).tolist() == [False]


def test_lengths_that_share_a_size_in_another_way_do_not_fit(wire):
    name = "test_msgs/msg/Lists"
    wire = wire.with_type(name, "float64[] a\nfloat64[] b\n")
    channel = wire.channel(name)
    layout = signal_layout_finder(channel, "a")(wire.pack(name, {"a": [1, 2], "b": [3]}))
    other = wire.pack(name, {"a": [1], "b": [2, 3]})
    same = wire.pack(name, {"a": [4, 5], "b": [6]})
    assert len(other) == len(same)
    assert layout.fits(rows(other, same)).tolist() == [False, True]
    assert layout.numbers(rows(same)).tolist() == [[4, 5]]


def test_joints_by_name_fit_only_in_the_order_they_had(wire):
    find = signal_layout_finder(wire.channel(JOINT_STATE), "position", names=("arm", "hip"))
    layout = find(joints(wire, NAMES, [1, 2, 3]))
    block = rows(joints(wire, NAMES, [4, 5, 6]), joints(wire, NAMES[::-1], [4, 5, 6]))
    assert layout.fits(block).tolist() == [True, False]
    assert layout.numbers(block[:1]).tolist() == [[6, 4]]
    assert find(joints(wire, NAMES[::-1], [4, 5, 6])).numbers(block[1:]).tolist() == [[4, 6]]


def test_another_byte_order_does_not_fit(cdr):
    payload = joints(cdr, NAMES, [1, 2, 3])
    layout = signal_layout_finder(cdr.channel(JOINT_STATE), "position")(payload)
    assert layout.fits(rows(payload, b"\x00\x00" + payload[2:])).tolist() == [True, False]


def test_bytes_that_no_writer_makes_of_a_bool_or_a_float(wire):
    name = "test_msgs/msg/Odd"
    wire = wire.with_type(name, "bool a\nbool[2] b\nfloat32 c\n")
    signalling_nan = 0x7F800001
    payload = wire.pack(name, {"a": True, "b": [True, False], "c": 1.5})
    order = ">" if wire.name == "cdr-big" else "<"
    odd = payload.replace(b"\x01\x01\x00", b"\x02\xff\x00").replace(
        struct.pack(f"{order}f", 1.5), struct.pack(f"{order}I", signalling_nan)
    )
    assert odd.count(b"\x02\xff") == 1
    channel = wire.channel(name)
    for field in ("a", "b", "c"):
        layout = signal_layout_finder(channel, field)(payload)
        assert layout.fits(rows(odd)).all()
        assert layout.numbers(rows(odd)).tobytes() == signal_decoder(channel, field)(odd).tobytes()


def test_messages_without_places_have_no_finder(json_channel, foxglove):
    assert signal_layout_finder(json_channel(JOINT_STATE), "position") is None
    assert signal_layout_finder(foxglove.channel("foxglove.Pose"), "position") is None


def test_a_path_that_is_none_is_named(cdr):
    with pytest.raises(DecodeError, match="channel /topic: 'pose..x' is no path"):
        signal_layout_finder(cdr.channel(JOINT_STATE), "pose..x")
