"""What was unpacked once is not unpacked again, within bounds."""

from __future__ import annotations

import pytest
from mcap.writer import CompressionType

from bagmill.recordings import open_recording
from bagmill.recordings.kept_chunks import KeptChunks


def test_only_what_fits_is_kept() -> None:
    kept = KeptChunks(10)
    kept.keep(0, b"1234")
    kept.keep(0, b"other")
    kept.keep(8, b"12345678")
    kept.keep(16, b"123456")
    kept.keep(24, b"1")
    assert [kept.get(offset) for offset in (0, 8, 16, 24)] == [b"1234", None, b"123456", None]
    kept.clear()
    kept.keep(0, b"1")
    assert kept.get(0) is None


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.LZ4])
def test_a_second_pass_over_packed_chunks_does_not_need_them(tmp_path, build_mcap, compression) -> None:
    content = build_mcap(num_messages=400, payload_bytes=2_000, chunk_size=1 << 16, compression=compression)
    (path := tmp_path / "a.mcap").write_bytes(content)
    with open_recording(path) as recording:
        first = [(row.channel_id, row.sequence, bytes(row.data)) for row in recording.messages()]
        middle = len(content) // 2
        with path.open("r+b") as file:
            # A byte inside a chunk's data, far from any record's header: unpacking it again would be noticed.
            file.seek(middle)
            file.write(bytes([content[middle] ^ 0xFF]))
        again = [(row.channel_id, row.sequence, bytes(row.data)) for row in recording.messages()]
        faults = recording.faults
    assert again == first
    assert not faults
    with open_recording(path) as recording:
        assert sum(1 for _ in recording.messages()) < len(first)
        assert recording.faults
