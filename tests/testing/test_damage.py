"""Damaged files, by the judgement of the MCAP library."""

import pytest
from mcap.exceptions import EndOfFile, InvalidMagic
from mcap.reader import make_reader
from mcap.records import Chunk, Message
from mcap.stream_reader import CRCValidationError, StreamReader, get_chunk_data_stream

from bagmill.testing import (
    Settings,
    empty,
    foreign_file,
    healthy,
    healthy_messages,
    truncated,
    with_bad_chunk_crc,
    with_message_at_time_zero,
)


def test_truncated_ends_within_its_data(tmp_path):
    whole = healthy(tmp_path / "whole.mcap").stat().st_size
    path = truncated(tmp_path / "r.mcap", share=0.6)
    assert path.stat().st_size == round(0.6 * whole)
    read = []
    with path.open("rb") as file, pytest.raises(EndOfFile):
        read.extend(StreamReader(file).records)
    num_messages = sum(isinstance(record, Message) for record in read)
    assert 0 < num_messages < len(healthy_messages())


def test_truncated_bag_has_no_index(tmp_path):
    path = truncated(tmp_path / "r.bag", settings=Settings(container="rosbag1"))
    content = path.read_bytes()
    assert content.startswith(b"#ROSBAG V2.0\n")
    assert len(content) == round(0.6 * healthy(path, settings=Settings(container="rosbag1")).stat().st_size)


def test_one_chunks_checksum_is_wrong_and_its_bytes_are_whole(tmp_path):
    path = with_bad_chunk_crc(tmp_path / "r.mcap", chunk=2)
    with path.open("rb") as file:
        chunks = [record for record in StreamReader(file, emit_chunks=True).records if isinstance(record, Chunk)]
    wrong = []
    for n, chunk in enumerate(chunks):
        get_chunk_data_stream(chunk, validate_crc=False)
        try:
            get_chunk_data_stream(chunk, validate_crc=True)
        except CRCValidationError:
            wrong.append(n)
    assert wrong == [2]
    with path.open("rb") as file:
        assert sum(1 for _ in make_reader(file).iter_messages()) == len(healthy_messages())


def test_empty_names_its_channels_and_holds_no_message(tmp_path):
    with empty(tmp_path / "r.mcap").open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary.statistics.message_count == 0
    assert {channel.topic for channel in summary.channels.values()} == {m.topic for m in healthy_messages()}


def test_foreign_file_is_no_recording(tmp_path):
    with foreign_file(tmp_path / "r.mcap").open("rb") as file, pytest.raises(InvalidMagic):
        list(StreamReader(file).records)


def test_the_first_message_was_logged_at_time_zero(tmp_path):
    with with_message_at_time_zero(tmp_path / "r.mcap").open("rb") as file:
        times = [message.log_time for _, _, message in make_reader(file).iter_messages(log_time_order=False)]
    assert times[0] == 0
    assert min(times[1:]) > 1_700_000_000_000_000_000 - 1_000_000_000
