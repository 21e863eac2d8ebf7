"""Reasons are told once each, with the right counts, whatever order the messages came in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import CodecError, DecodeError
from bagmill.messages import DecodeFault, DecodeFaults

STAMPS = 1_700_000_000_000_000_000 + 10**8 * np.arange(1000, dtype=np.int64)


def test_every_reason_is_told_once_with_its_count_its_first_message_and_its_remedy():
    faults = DecodeFaults()
    for n in range(37):
        faults.add(100 + n, DecodeError("expected 6 numbers, found 4"))
    faults.add(7, CodecError("a CMYK JPEG", remedy="Record it as RGB"))
    found = faults.grouped(STAMPS, channel="/arm")
    assert found == (
        DecodeFault("expected 6 numbers, found 4", "/arm", 37, 100, int(STAMPS[100])),
        DecodeFault("a CMYK JPEG", "/arm", 1, 7, int(STAMPS[7]), remedy="Record it as RGB"),
    )
    assert (
        found[0].text(int(STAMPS[0]))
        == "37 messages of /arm: expected 6 numbers, found 4 (first 10.00 s from the start)"
    )
    assert found[1].text(int(STAMPS[0])) == "1 message of /arm: a CMYK JPEG (0.70 s from the start)"
    assert faults.sequences == [7, *range(100, 137)]


def test_a_few_different_numbers_are_told_apart_and_many_are_told_as_one():
    faults = DecodeFaults()
    for n in range(6):
        faults.add(n, DecodeError(f"expected 640×480 pixels, found {(320, 160)[n % 2]}×{(240, 120)[n % 2]}"))
    assert [(fault.reason, fault.num_messages) for fault in faults.grouped(STAMPS, channel="/arm")] == [
        ("expected 640×480 pixels, found 320×240", 3),
        ("expected 640×480 pixels, found 160×120", 3),
    ]
    for n in range(50):
        faults.add(900 - n, DecodeError(f"a JPEG of {1000 + n} bytes breaks off"))
    merged = faults.grouped(STAMPS, channel="/arm")[0]
    assert (merged.num_messages, merged.first_sequence, merged.is_example) == (50, 851, True)
    assert "such as a JPEG of" in merged.text(0)


def test_names_with_digits_in_them_are_not_numbers():
    faults = DecodeFaults()
    for name in ("joint1", "joint2", "joint3", "joint4", "joint5"):
        faults.add(0, DecodeError(f"no joint called {name} in the message"))
    assert len(faults.grouped(STAMPS, channel="/arm")) == 5


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 30), st.integers(0, 5)), max_size=120))
def test_no_message_is_lost_or_counted_twice(noted: list[tuple[int, int, int]]):
    faults = DecodeFaults()
    for sequence, kind, number in noted:
        faults.add(sequence, DecodeError(f"{'x' * kind} found {number}"))
    found = faults.grouped(STAMPS, channel="/arm")
    assert sum(fault.num_messages for fault in found) == len(noted)
    assert faults.sequences == sorted(sequence for sequence, _, _ in noted)
    assert min((fault.first_sequence for fault in found), default=None) == min((n for n, _, _ in noted), default=None)
    assert all(fault.first_ns == STAMPS[fault.first_sequence] for fault in found)
    assert len(found) <= 3 * 17
