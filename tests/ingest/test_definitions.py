"""Definitions of messages that a recording does not define: given as a folder by the profile, part of a version by content."""

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
import yaml
import zarr

from bagmill.dataset import Dataset
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import load_profile

START_NS = 1_700_000_000_000_000_000
ARM = "float64[2] q\nfloat32 grip\n"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A database as Humble and older write it: no definitions."""
    path = tmp_path / "arm.db3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT);"
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);"
            "INSERT INTO topics VALUES (1, '/arm', 'my_robot/msg/Arm', 'cdr');"
        )
        rows = [
            (n, 1, START_NS + n * 50_000_000, b"\0\1\0\0" + struct.pack("<ddf", n, -n, n / 2)) for n in range(1, 41)
        ]
        database.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
        database.commit()
    return path


def request(recording: Path, *, definitions: str | None, text: str = ARM) -> IngestRequest:
    folder = recording.parent / "profiles"
    for place in ("a", "b"):
        (folder / place / "my_robot" / "msg").mkdir(parents=True, exist_ok=True)
        (folder / place / "my_robot" / "msg" / "Arm.msg").write_text(text)
    profile = {
        "name": "p",
        "rate_hz": 20,
        "clock": "log",
        "preview": {"enabled": False},
        "features": {"q": {"channel": "/arm", "field": "q"}, "grip": {"channel": "/arm", "field": "grip"}},
        **({} if definitions is None else {"definitions": definitions}),
    }
    (folder / "robot.yaml").write_text(yaml.safe_dump(profile))
    return IngestRequest(
        "arm.db3", recording, recording.parent / "data", load_profile(folder / "robot.yaml"), num_threads=1
    )


def test_with_them_the_values_are_those_that_were_written(recording: Path) -> None:
    refused = ingest(request(recording, definitions=None))
    assert refused.refusal is not None
    assert "comes without its definition" in refused.refusal.reason
    assert "`definitions: FOLDER`" in refused.refusal.reason
    made = ingest(request(recording, definitions="a"))
    assert made.refusal is None, made.refusal
    group = zarr.open_group(Dataset(recording.parent / "data").episode_path("arm.db3", made.report.version), mode="r")
    assert group["q"][:].tolist() == [[n, -n] for n in range(1, 41)]
    assert group["grip"][:, 0].tolist() == [n / 2 for n in range(1, 41)]


def test_a_version_is_of_their_content_and_not_of_their_place(recording: Path) -> None:
    first = ingest(request(recording, definitions="a"))
    again = ingest(request(recording, definitions="b"))
    assert again.is_reused
    assert again.report.version == first.report.version
    changed = ingest(request(recording, definitions="a", text=ARM.replace("q\n", "q  # rad\n")))
    assert changed.report.version != first.report.version


def test_a_scan_with_other_definitions_is_not_taken_again(recording: Path) -> None:
    assert ingest(request(recording, definitions="a", text="float64[2] q\nfloat32 grip\n")).refusal is None
    outcome = ingest(request(recording, definitions="a", text="float64 first\nfloat64 q\nfloat32 grip\n"))
    assert outcome.refusal is None
    group = zarr.open_group(
        Dataset(recording.parent / "data").episode_path("arm.db3", outcome.report.version), mode="r"
    )
    assert group["q"][:, 0].tolist() == [-n for n in range(1, 41)]
    assert ingest(request(recording, definitions=None)).refusal is not None
