"""Bags that their recorder left open, or that were cut off: ingested, or refused with what is missing."""

import struct
from pathlib import Path

import pytest
import zarr

from bagmill.dataset import Dataset
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.recordings import discover
from bagmill.testing import START_NS, SampleMessage, write_rosbag1

PROFILE = {
    "name": "p",
    "rate_hz": 20,
    "preview": {"enabled": False},
    "features": {"state": {"channel": "/joints", "field": "position"}},
}


@pytest.fixture
def bag(tmp_path: Path) -> bytes:
    messages = [
        SampleMessage(
            "/joints",
            "sensor_msgs/msg/JointState",
            {"name": ["a", "b"], "position": [float(n), -float(n)]},
            log_ns=START_NS + n * 50_000_000,
            header_ns=START_NS + n * 50_000_000,
        )
        for n in range(60)
    ]
    return write_rosbag1(tmp_path / "whole.bag", messages).read_bytes()


def without_index(content: bytes) -> bytes:
    at = content.index(b"index_pos=") + len(b"index_pos=")
    (index_pos,) = struct.unpack_from("<Q", content, at)
    left = bytearray(content[:index_pos])
    left[at : at + 8] = bytes(8)
    for name in (b"conn_count=", b"chunk_count="):
        at = left.index(name) + len(name)
        left[at : at + 4] = bytes(4)
    return bytes(left)


def ingested(folder: Path, content: bytes, *, name: str = "run.bag") -> IngestOutcome:
    (folder / "in").mkdir()
    (folder / "in" / name).write_bytes(content)
    assert discover(folder / "in") == [folder / "in" / name]
    return ingest(IngestRequest(name, folder / "in" / name, folder / "data", parse_profile(PROFILE), num_threads=1))


@pytest.mark.parametrize("name", ["run.bag", "run.bag.active"])
def test_a_bag_that_was_not_closed_is_ingested(bag: bytes, name: str, tmp_path: Path) -> None:
    outcome = ingested(tmp_path, without_index(bag), name=name)
    assert outcome.refusal is None, outcome.refusal
    (check,) = (each for each in outcome.report.checks if each.name == "container_intact")
    assert check.is_passed
    assert "read without its index (its recording was not closed)" in check.measurements[0].note
    path = Dataset(tmp_path / "data").episode_path(name, outcome.report.version)
    state = zarr.open_group(path, mode="r")["state"][:]
    assert state.tolist() == [[float(n), -float(n)] for n in range(60)]


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_bag_that_was_cut_fails_its_check(bag: bytes, is_closed: bool, tmp_path: Path) -> None:
    whole = bag if is_closed else without_index(bag)
    outcome = ingested(tmp_path, whole[: len(whole) // 2])
    assert outcome.refusal is not None
    assert outcome.refusal.failed_checks == ("container_intact",)
    assert "The file breaks off at byte" in outcome.refusal.reason
    scanned = next(stage for stage in outcome.report.stages if stage.stage == "recording")
    assert 10 < scanned.metadata["num_messages"] < 60


def test_a_bag_of_which_nothing_is_left_says_so(bag: bytes, tmp_path: Path) -> None:
    outcome = ingested(tmp_path, bag[:4200])
    assert outcome.refusal is not None
    assert "holds no message that can be read: The file breaks off at byte 4200" in outcome.refusal.reason
