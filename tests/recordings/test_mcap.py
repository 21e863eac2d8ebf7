"""MCAP files: whole ones equal the official reader's result, damaged ones are told and never lose anything silently."""

from __future__ import annotations

import io
import itertools
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
import zstandard
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, IndexType

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording
from bagmill.recordings.mcap import McapRecording

MAGIC = b"\x89MCAP0\r\n"
REAL = [
    "franka_teach/trajectory_20250527_003442_00m02s.mcap",
    "franka_teach/trajectory_20250527_003848_00m00s.mcap",
    "nav2_turtlebot.mcap",
    "aerial_arm_mcap/ros2bag_ats_2025-12-02_12-44-28_0.mcap",
    "message_zoo_mcap/test_bag_mcap.mcap",
    "wrong_serialization/wrong_rmw_test_0.mcap",
    "mcap_oddities/bad_schema.mcap",
    "mcap_oddities/empty_channel.mcap",
    "mcap_oddities/publish_vs_log_time.mcap",
    "mcap_oddities/unsupported_encoding.mcap",
]
NUM_BY_NAME = {"NoData": 0, "OneAttachment": 0, "OneMetadata": 0, "OneMessage": 1, "TenMessages": 10}


def record(opcode: int, content: bytes) -> bytes:
    return struct.pack("<BQ", opcode, len(content)) + content


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


def message(channel_id: int, log_time: int, payload: bytes) -> bytes:
    return record(5, struct.pack("<HIQQ", channel_id, 0, log_time, log_time) + payload)


def channel(channel_id: int, topic: str, schema_id: int = 0) -> bytes:
    return record(4, struct.pack("<HH", channel_id, schema_id) + text(topic) + text("raw") + struct.pack("<I", 0))


def chunk(content: bytes, *, crc: int | None = None, compression: str = "", size: int | None = None) -> bytes:
    crc = zlib.crc32(content) if crc is None else crc
    size = len(content) if size is None else size
    head = struct.pack("<QQQI", 0, 0, size, crc) + text(compression) + struct.pack("<Q", len(content))
    return record(6, head + content)


def whole(*records: bytes) -> bytes:
    """A file without a summary."""
    data_end, footer = record(0x0F, bytes(4)), record(2, bytes(20))
    return MAGIC + record(1, text("") + text("")) + b"".join(records) + data_end + footer + MAGIC


def chunk_offsets(content: bytes) -> list[int]:
    """Where the chunks stand, by walking the records."""
    offsets, position = [], len(MAGIC)
    while content[position] != 0x0F:
        length = struct.unpack_from("<Q", content, position + 1)[0]
        if content[position] == 6:
            offsets.append(position)
        position += 9 + length
    return offsets


def faults_of(path: Path) -> tuple[list[bytes], dict[str, str]]:
    with open_recording(path) as recording:
        payloads = [bytes(row.data) for row in recording.messages()]
        return payloads, {fault.code: fault.severity for fault in recording.faults}


@pytest.mark.parametrize("name", REAL)
def test_real_files_equal_the_official_reader(name, recordings_dir, rows_of, stock_mcap_rows):
    rows, faults = rows_of(recordings_dir / name)
    assert rows == stock_mcap_rows(recordings_dir / name)
    assert rows
    assert faults == []


def test_messages_that_were_packed_one_by_one_are_unpacked(recordings_dir, rows_of, stock_mcap_rows):
    path = recordings_dir / "soccer_goal/soccer_goal_12.mcap"
    rows, faults = rows_of(path)
    unpack = zstandard.ZstdDecompressor().decompress
    assert rows == [(*row, unpack(data)) for *row, data in stock_mcap_rows(path)]
    assert faults == ["messages_packed"]


@pytest.mark.parametrize("folder", NUM_BY_NAME)
def test_conformance_counts(folder, recordings_dir, rows_of, stock_mcap_rows):
    files = sorted((recordings_dir / "mcap_conformance" / folder).glob("*.mcap"))
    assert files
    for path in files:
        rows, faults = rows_of(path)
        assert len(rows) == NUM_BY_NAME[folder], path.name
        assert rows == stock_mcap_rows(path), path.name
        assert faults == [], path.name


def test_there_are_342_conformance_files(recordings_dir):
    assert len(list((recordings_dir / "mcap_conformance").glob("*/*.mcap"))) == 342


@pytest.mark.parametrize("compression", list(CompressionType))
@pytest.mark.parametrize(("is_chunked", "has_summary", "has_crc"), list(itertools.product([True, False], repeat=3)))
def test_every_way_of_writing(
    compression, is_chunked, has_summary, has_crc, tmp_path, build_mcap, rows_of, stock_mcap_rows
):
    content = build_mcap(
        compression=compression,
        use_chunking=is_chunked,
        enable_crcs=has_crc,
        enable_data_crcs=has_crc,
        use_statistics=has_summary,
        repeat_channels=has_summary,
        repeat_schemas=has_summary,
        use_summary_offsets=has_summary,
        index_types=IndexType.ALL if has_summary else IndexType.NONE,
    )
    path = tmp_path / "a.mcap"
    path.write_bytes(content)
    rows, faults = rows_of(path)
    assert rows == stock_mcap_rows(content)
    assert len(rows) == 40
    assert faults == []


def test_channels_fold_and_names_are_normalised(tmp_path, build_mcap):
    (path := tmp_path / "a.mcap").write_bytes(build_mcap())
    with open_recording(path) as recording:
        sequences = [row.sequence for row in recording.messages() if recording.channels[row.channel_id].topic == "/b"]
        found = [(item.id, item.topic, item.schema_name, item.message_encoding) for item in recording.channels]
        assert recording.num_messages_from_summary == {0: 10, 1: 20, 2: 10}
        assert recording.channels[0].metadata == {"qos": "x"}
        assert recording.channels[0].schema_data == b"uint32 height"
        assert recording.num_bytes_read == path.stat().st_size
    assert found == [
        (0, "/a", "sensor_msgs/msg/Image", "cdr"),
        (1, "/b", "demo.Point", "json"),
        (2, "bare", "", "raw"),
    ]
    assert sequences == list(range(20))


def test_a_choice_of_channels_keeps_order_and_sequence(tmp_path, build_mcap):
    (path := tmp_path / "a.mcap").write_bytes(build_mcap())
    with open_recording(path) as recording:
        chosen = [(row.channel_id, row.sequence, bytes(row.data)) for row in recording.messages({2, 0})]
        everything = [(row.channel_id, row.sequence, bytes(row.data)) for row in recording.messages()]
    assert chosen == [row for row in everything if row[0] != 1]
    assert len(chosen) == 20


def test_two_passes_at_once_do_not_disturb_each_other(tmp_path, build_mcap):
    (path := tmp_path / "a.mcap").write_bytes(build_mcap())
    with open_recording(path) as recording:
        pairs = [
            (bytes(a.data), bytes(b.data)) for a, b in zip(recording.messages(), recording.messages(), strict=True)
        ]
    assert len(pairs) == 40
    assert all(a == b for a, b in pairs)


def test_channels_that_only_the_summary_knows_are_listed_empty(recordings_dir):
    with open_recording(recordings_dir / REAL[3]) as recording:
        counts = [0] * 32
        for row in recording.messages():
            counts[row.channel_id] += 1
        assert len(recording.channels) == 32
        assert sum(count == 0 for count in counts) == 8
        assert recording.num_messages_from_summary == dict(enumerate(counts))


def test_a_chunk_with_a_wrong_crc_is_left_out_and_reading_goes_on(tmp_path, build_mcap, rows_of, stock_mcap_rows):
    content = bytearray(build_mcap(compression=CompressionType.NONE))
    offsets = chunk_offsets(content)
    content[offsets[1] + 200] ^= 4
    (path := tmp_path / "a.mcap").write_bytes(content)
    rows, _ = rows_of(path)
    expected = stock_mcap_rows(build_mcap())
    assert 0 < len(rows) < len(expected)
    assert [row for row in expected if row in rows] == rows
    with open_recording(path) as recording:
        once = [bytes(row.data) for row in recording.messages()]
        faults = recording.faults
        assert [bytes(row.data) for row in recording.messages()] == once
        assert recording.faults == faults
    assert faults[0].code == "chunk_crc_mismatch"
    assert f"byte {offsets[1]} " in faults[0].message
    assert {fault.code for fault in faults} == {"chunk_crc_mismatch", "count_differs_from_summary"}
    assert all(fault.severity == "error" for fault in faults)


def test_a_chunk_that_does_not_decompress(tmp_path, build_mcap):
    for compression in (CompressionType.ZSTD, CompressionType.LZ4):
        content = bytearray(build_mcap(compression=compression))
        offset = chunk_offsets(content)[2]
        content[offset + 60 : offset + 90] = bytes(30)
        (path := tmp_path / "a.mcap").write_bytes(content)
        payloads, faults = faults_of(path)
        assert 0 < len(payloads) < 40
        assert faults.keys() & {"chunk_damaged", "chunk_crc_mismatch"}


def test_a_lost_first_chunk_takes_its_channels_from_the_summary(tmp_path, build_mcap):
    content = bytearray(build_mcap())
    content[chunk_offsets(content)[0] + 60] ^= 255
    (path := tmp_path / "a.mcap").write_bytes(content)
    payloads, faults = faults_of(path)
    assert len(payloads) > 30
    assert faults["channel_from_summary"] == "warning"


@pytest.mark.parametrize("flipped_byte", [1, 2, 4, 8])
def test_behind_a_wrong_length_reading_goes_on_at_the_next_chunk(flipped_byte, tmp_path, build_mcap, stock_mcap_rows):
    content = bytearray(build_mcap())
    offsets = chunk_offsets(content)
    content[offsets[2] + flipped_byte] ^= 0x40
    (path := tmp_path / "a.mcap").write_bytes(content)
    payloads, faults = faults_of(path)
    expected = [row[3] for row in stock_mcap_rows(build_mcap())]
    assert payloads[0] == expected[0]
    assert payloads[-1] == expected[-1]
    assert 0 < len(expected) - len(payloads) < 12
    assert faults["record_damaged"] == "error"


def test_a_length_that_swallows_the_next_chunk_loses_only_its_own(tmp_path, build_mcap, stock_mcap_rows, rows_of):
    content = bytearray(build_mcap())
    offsets = chunk_offsets(content)
    struct.pack_into("<Q", content, offsets[1] + 1, offsets[3] - offsets[1] - 9)  # ends where the third chunk begins
    (path := tmp_path / "a.mcap").write_bytes(content)
    rows, faults = rows_of(path)
    expected = stock_mcap_rows(build_mcap())
    per_chunk = len(expected) - len(rows)
    assert 0 < per_chunk < 8
    first = next(n for n, row in enumerate(expected) if row not in rows)
    assert rows == expected[:first] + expected[first + per_chunk :]
    assert faults[0] == "record_damaged"


def test_a_wrong_byte_outside_chunks_shows_in_the_data_crc(tmp_path, build_mcap):
    content = bytearray(build_mcap(use_chunking=False, enable_data_crcs=True))
    content[content.index(b"zzzzzz")] ^= 1
    (path := tmp_path / "a.mcap").write_bytes(content)
    payloads, faults = faults_of(path)
    assert len(payloads) == 40
    assert faults == {"data_crc_mismatch": "error"}


def test_a_summary_that_counts_otherwise(tmp_path, build_mcap):
    content = build_mcap(enable_crcs=False)
    position = content.rindex(struct.pack("<BQ", 0x0B, 46 + 40)) + 9  # statistics: four channels of ten bytes each
    assert struct.unpack_from("<Q", content, position) == (40,)
    for delta, severity in ((1, "error"), (-1, "warning")):
        changed = bytearray(content)
        struct.pack_into("<Q", changed, position + 46 + 2, 10 + delta)
        (path := tmp_path / "a.mcap").write_bytes(changed)
        payloads, faults = faults_of(path)
        assert len(payloads) == 40
        assert faults == {"count_differs_from_summary": severity}


def test_a_damaged_summary_loses_no_message(tmp_path, build_mcap, stock_mcap_rows, rows_of):
    content = build_mcap()
    expected = stock_mcap_rows(content)
    start = content.rindex(record(0x0F, bytes(4))) + 13
    path = tmp_path / "a.mcap"
    for position in range(start, len(content) - 8, 3):
        changed = bytearray(content)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(changed)
        rows, faults = rows_of(path)
        assert rows == expected, position
        assert set(faults) <= {"summary_damaged", "count_differs_from_summary"}, position


def test_cut_at_every_97th_byte(tmp_path, build_mcap, stock_mcap_rows, read_or_refuse):
    content = build_mcap(num_messages=120)
    expected = stock_mcap_rows(content)
    data_end = content.rindex(record(0x0F, bytes(4))) + 13
    path = tmp_path / "a.mcap"
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        result = read_or_refuse(path)
        if length < len(MAGIC):
            assert result is None
            continue
        assert result is not None
        rows, faults = result
        whole_chunks = [
            offset
            for offset in chunk_offsets(content)
            if offset + 9 + struct.unpack_from("<Q", content, offset + 1)[0] <= length
        ]
        assert rows == expected[: len(rows)]
        assert bool(rows) == bool(whole_chunks)
        assert ("truncated" in faults) == (length < data_end), length
        if length >= data_end:
            assert rows == expected
            assert faults == ["summary_damaged"]


def test_whole_messages_before_a_cut_are_given_where_they_stand_outside_chunks(tmp_path, build_mcap, rows_of):
    content = build_mcap(use_chunking=False)
    position = content.rindex(b"\x27\x00", 0, content.rindex(record(0x0F, bytes(4))))  # the last message's payload
    (path := tmp_path / "a.mcap").write_bytes(content[: position + 5])
    rows, faults = rows_of(path)
    assert len(rows) == 39
    assert faults == ["truncated"]


@pytest.mark.parametrize("options", [{}, {"compression": CompressionType.LZ4}, {"compression": CompressionType.NONE}])
def test_600_damaged_copies_lose_nothing_silently(options, tmp_path, build_mcap, damaged_copies, read_or_refuse):
    content = build_mcap(num_messages=60, chunk_size=800, **options)
    path = tmp_path / "a.mcap"
    path.write_bytes(content)
    expected = read_or_refuse(path)
    assert expected is not None
    assert expected[1] == []
    num_damaged = 0
    for what, changed in damaged_copies(content, count=200, seed=len(content)):
        path.write_bytes(changed)
        result = read_or_refuse(path)
        if result is None:
            assert changed[:8] != MAGIC
        elif result[0] != expected[0]:
            num_damaged += 1
            assert result[1], what
    assert num_damaged > 50


def test_300_damaged_copies_without_chunks_or_checksums_do_not_crash(
    tmp_path, build_mcap, damaged_copies, read_or_refuse
):
    content = build_mcap(use_chunking=False, enable_crcs=False, index_types=IndexType.NONE)
    path = tmp_path / "a.mcap"
    for what, changed in damaged_copies(content, count=300, seed=3):
        path.write_bytes(changed)
        result = read_or_refuse(path)
        assert result is None or len(result[0]) <= 41, what


@pytest.mark.parametrize(
    "damaged",
    [
        struct.pack("<BQ", 5, 2**62) + bytes(100),
        struct.pack("<BQ", 6, 2**40) + bytes(100),
        chunk(b"x" * 100, size=2**40, compression="zstd"),
        chunk(b"x" * 100, size=2**40, compression="lz4"),
        chunk(b"\x28\xb5\x2f\xfd\xc0" + struct.pack("<Q", 2**40) + bytes(20), size=2**40, compression="zstd"),
        record(4, struct.pack("<HHI", 1, 1, 2**32 - 1)),
        record(3, struct.pack("<HI", 1, 2**31)),
        chunk(struct.pack("<BQ", 5, 2**63) + bytes(50)),
    ],
)
def test_absurd_lengths_allocate_nothing(damaged, tmp_path):
    (path := tmp_path / "a.mcap").write_bytes(whole(channel(1, "/a"), message(1, 5, b"first"), damaged))
    tracemalloc.start()
    try:
        payloads, faults = faults_of(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert payloads == [b"first"]
    assert faults
    assert "error" in faults.values()
    assert peak < 8 << 20


def test_what_a_file_may_hold_besides(tmp_path):
    content = whole(
        channel(1, "/a"),
        record(0x99, b"an application's own record"),
        chunk(channel(2, "/b") + record(0x77, b"") + message(1, 5, b"one") + message(2, 6, b"")),
        record(5, b"short"),
        message(7, 8, b"lost"),
        message(7, 9, b"lost"),
        chunk(message(1, 7, b"two"), compression="snappy"),
        channel(3, "/c", schema_id=9),
        message(3, 2**64 - 5, b"late"),
        channel(1, "/renamed"),
        message(1, 11, b"three"),
    )
    (path := tmp_path / "a.mcap").write_bytes(content)
    with open_recording(path) as recording:
        rows = [
            (recording.channels[row.channel_id].topic, row.log_time_ns, bytes(row.data)) for row in recording.messages()
        ]
        faults = {fault.code: fault.message for fault in recording.faults}
    assert rows == [("/a", 5, b"one"), ("/b", 6, b""), ("/c", -5, b"late"), ("/renamed", 11, b"three")]
    assert faults.keys() == {
        "record_damaged",
        "unknown_channel",
        "chunk_damaged",
        "unknown_schema",
        "channel_redefined",
    }
    assert faults["unknown_channel"].startswith("2 messages are on channel id 7")
    assert "'snappy'" in faults["chunk_damaged"]


def test_memory_is_bounded_by_the_chunk(tmp_path, build_mcap):
    content = build_mcap(num_messages=400, payload_bytes=50_000, chunk_size=1 << 20, compression=CompressionType.NONE)
    (path := tmp_path / "a.mcap").write_bytes(content)
    del content
    tracemalloc.start()
    try:
        with open_recording(path) as recording:
            num_bytes = sum(len(row.data) for row in recording.messages())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert num_bytes == 400 * 50_000
    assert peak < 5 << 20


def test_payloads_are_views_that_outlive_the_next_message(tmp_path, build_mcap, stock_mcap_rows):
    (path := tmp_path / "a.mcap").write_bytes(build_mcap())
    with open_recording(path) as recording:
        views = [row.data for row in recording.messages()]
    assert all(isinstance(view, memoryview) and view.readonly for view in views)
    assert [bytes(view) for view in views] == [row[3] for row in stock_mcap_rows(path)]


def test_a_closed_recording_says_so(tmp_path, build_mcap):
    (path := tmp_path / "a.mcap").write_bytes(build_mcap())
    recording = McapRecording(path)
    recording.close()
    recording.close()
    with pytest.raises(RecordingError, match="the recording was closed"):
        next(recording.messages())


def test_the_official_reader_agrees_that_the_built_files_are_whole(build_mcap):
    """Guards the guard: these tests are worth what their input is."""
    kinds = {type(item).__name__ for item in StreamReader(io.BytesIO(build_mcap()), validate_crcs=True).records}
    assert {"Message", "Statistics", "ChunkIndex", "Attachment", "Metadata", "Footer"} <= kinds
