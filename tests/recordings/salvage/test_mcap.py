"""MCAP files that are cut, torn, or have bad chunks."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcap.writer import CompressionType, IndexType, Writer

from bagmill.recordings import open_recording

_HEADER = 9


def chunks_of(content: bytes) -> list[tuple[int, int]]:
    """Every chunk record, from its opcode to its end."""
    found, at = [], 8
    while at + _HEADER <= len(content) and content[at]:
        length = int.from_bytes(content[at + 1 : at + 9], "little")
        if content[at] == 6:
            found.append((at, at + _HEADER + length))
        at += _HEADER + length
    return found


@pytest.mark.parametrize("compression", [CompressionType.NONE, CompressionType.ZSTD, CompressionType.LZ4])
@pytest.mark.parametrize("has_summary", [True, False])
def test_a_torn_file_is_read_on_at_the_next_chunk(
    tmp_path: Path, build_mcap: Any, stock_mcap_rows: Any, salvage: Any, compression: CompressionType, has_summary: bool
) -> None:
    content = bytearray(build_mcap(num_messages=200, compression=compression))
    rows = stock_mcap_rows(bytes(content))
    chunks = chunks_of(content)
    if not has_summary:
        del content[chunks[-1][1] :]
    start, _end = chunks[3]
    content[start - 5 : start + 20] = random.Random(1).randbytes(25)
    (tmp_path / "torn.mcap").write_bytes(content)

    found = salvage(tmp_path / "torn.mcap")

    lost = [row for row in rows if row not in found.rows]
    assert 0 < len(lost) < len(rows) / 5
    assert found.rows == [row for row in rows if row not in lost]
    if has_summary:
        assert found.losses.num_messages == len(lost)
        by_topic = {loss.channel: loss.num_messages for loss in found.losses.entries if loss.channel}
        assert by_topic == {topic: sum(row[0] == topic for row in lost) for topic in {row[0] for row in lost}}
        stamps = [row[1] for row in lost]
        assert found.losses.seconds is not None
        assert found.losses.seconds >= (max(stamps) - min(stamps)) / 1e9
    else:
        assert found.losses.num_messages is None


def test_without_salvage_a_torn_file_without_summary_ends_at_the_damage(
    tmp_path: Path, build_mcap: Any, salvage: Any
) -> None:
    content = bytearray(build_mcap(num_messages=200))
    chunks = chunks_of(content)
    del content[chunks[-1][1] :]
    content[chunks[3][0] : chunks[3][0] + 9] = bytes(9)
    (tmp_path / "torn.mcap").write_bytes(content)

    with open_recording(tmp_path / "torn.mcap") as recording:
        num_default = sum(1 for _ in recording.messages())
        assert not recording.losses
    assert num_default < len(salvage(tmp_path / "torn.mcap").rows)


@pytest.mark.parametrize("has_summary", [True, False])
def test_a_bad_checksum_costs_its_chunk_and_is_counted_exactly(
    tmp_path: Path, build_mcap: Any, stock_mcap_rows: Any, salvage: Any, has_summary: bool
) -> None:
    content = bytearray(build_mcap(num_messages=200, compression=CompressionType.NONE))
    rows = stock_mcap_rows(bytes(content))
    chunks = chunks_of(content)
    if not has_summary:
        del content[chunks[-1][1] :]
        rows = [row for row in rows if row[3] in bytes(content)]
    _start, end = chunks[3]
    content[end - 3] ^= 1
    (tmp_path / "bad.mcap").write_bytes(content)

    found = salvage(tmp_path / "bad.mcap")

    lost = [row for row in rows if row not in found.rows]
    assert "chunk_crc_mismatch" in found.codes
    by_topic = {loss.channel: loss.num_messages for loss in found.losses.entries if loss.kind == "chunk_crc_mismatch"}
    assert by_topic == {topic: sum(row[0] == topic for row in lost) for topic in {row[0] for row in lost}}
    (seconds,) = {loss.seconds for loss in found.losses.entries if loss.kind == "chunk_crc_mismatch"}
    assert seconds == pytest.approx((max(row[1] for row in lost) - min(row[1] for row in lost)) / 1e9)
    if has_summary:
        assert (found.losses.num_messages, found.losses.seconds) == (len(lost), seconds)
    else:
        assert found.losses.num_messages is None


def test_zeros_at_the_end_are_no_data(tmp_path: Path, build_mcap: Any, stock_mcap_rows: Any, salvage: Any) -> None:
    """After a power cut a file may be as long as it was meant to be, its last blocks never written."""
    content = build_mcap(num_messages=200, compression=CompressionType.NONE)
    rows = stock_mcap_rows(content)
    start, end = chunks_of(content)[5]
    at = (start + end) // 2
    (tmp_path / "zeros.mcap").write_bytes(content[:at] + bytes(len(content) - at))
    (tmp_path / "cut.mcap").write_bytes(content[:at].rstrip(b"\0"))

    found = salvage(tmp_path / "zeros.mcap")

    assert found.rows == salvage(tmp_path / "cut.mcap").rows == rows[: len(found.rows)]
    assert "zeros_at_end" in found.codes
    assert "chunk_cut" in found.codes


def _bare(path: Path) -> list[tuple[str, int, int, bytes]]:
    """A file whose messages stand outside chunks."""
    random_bytes = random.Random(3)
    rows = []
    with path.open("wb") as file:
        writer = Writer(file, use_chunking=False, index_types=IndexType.NONE)
        writer.start()
        channels = {topic: writer.register_channel(topic, "raw", 0) for topic in ("/a", "/b")}
        for n in range(120):
            row = (("/a", "/b")[n % 2], 10**18 + n * 10**7, 10**18 + n * 10**7, random_bytes.randbytes(40 + n))
            rows.append(row)
            writer.add_message(channels[row[0]], row[1], row[3], row[2], n)
        writer.finish()
    return rows


def test_messages_outside_chunks_are_found_behind_damage(tmp_path: Path, salvage: Any) -> None:
    path = tmp_path / "bare.mcap"
    rows = _bare(path)
    content = bytearray(path.read_bytes())
    at = content.index(rows[60][3]) + 30
    content[at : at + 100] = random.Random(4).randbytes(100)  # the rest of message 60, the beginning of 61
    path.write_bytes(content)

    found = salvage(path)

    # 60 has no checksum to tell that its end is another: it goes with 61, which is lost
    assert found.rows == [row for row in rows if row not in (rows[60], rows[61])]
    assert found.losses.num_messages == 2
    assert {loss.channel: loss.num_messages for loss in found.losses.entries if loss.channel} == {"/a": 1, "/b": 1}


def test_a_cut_among_bare_messages_costs_none_before_it(tmp_path: Path, salvage: Any) -> None:
    path = tmp_path / "bare.mcap"
    rows = _bare(path)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(rows[80][3]) + 3])

    assert salvage(path).rows == rows[:80]


def test_a_whole_file_has_no_losses(tmp_path: Path, build_mcap: Callable[..., bytes], salvage: Any) -> None:
    (tmp_path / "whole.mcap").write_bytes(build_mcap())

    found = salvage(tmp_path / "whole.mcap")

    assert not found.losses
    assert found.codes == []
