"""Containers: a whole file is damaged, and scanned as `bagmill scan` does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from bagmill.drafts import draft_profile
from bagmill.streams import scan
from bagmill.testing import healthy
from tests.fuzz.seeds import TINY, folder
from tests.fuzz.target import Target, Try

_MCAP = (
    b"\x89MCAP0\r\n",
    b"\x06",
    b"\x05",
    b"\x03",
    b"\x04",
    b"lz4",
    b"zstd",
    b"\x0f\x04\0\0\0\0\0\0\0\0\0\0\0",
    b"cdr",
    b"ros2msg",
)
_BAG = (
    b"#ROSBAG V2.0\n",
    b"op=\x02",
    b"op=\x05",
    b"op=\x07",
    b"conn=",
    b"\x08\0\0\0size=",
    b"compression=bz2",
    b"lz4",
    b"topic=",
)
_SQL = (
    b"CREATE TABLE",
    b"messages",
    b"topics",
    b"topic_id",
    b"timestamp",
    b"VIEW",
    b" GENERATED ALWAYS AS (1)",
    b"zeroblob(1e9)",
)
_YAML = (
    b"rosbag2_bagfile_information:",
    b"relative_file_paths:",
    b"- ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!int ",
    b"!!timestamp ",
    b"../",
    b"compression_mode: FILE",
    b"[[[[[[[[",
    b"{",
    b"1e999",
)


def _scan_as(suffix: str, *, salvage: bool = False) -> Try:
    def attempt(data: bytes, place: Path) -> object:
        path = place / f"r{suffix}"
        path.write_bytes(data)
        index = scan(path, salvage=salvage)
        return index if salvage else draft_profile(index)

    return attempt


@cache
def _mcap() -> Sequence[bytes]:
    found = []
    with folder() as place:
        for compression in ("none", "lz4", "zstd"):
            path = healthy(place / f"{compression}.mcap", settings=replace(TINY, compression=compression))
            found.append(path.read_bytes())
    return found


@cache
def _bag() -> Sequence[bytes]:
    found = []
    with folder() as place:
        for compression in ("none", "lz4", "bz2"):
            settings = replace(TINY, container="rosbag1", compression=compression)
            found.append(healthy(place / f"{compression}.bag", settings=settings).read_bytes())
    return found


@cache
def _rosbag2() -> tuple[bytes, bytes]:
    with folder() as place:
        made = healthy(place / "r", settings=replace(TINY, container="rosbag2"))
        (database,) = made.glob("*.db3")
        return database.read_bytes(), (made / "metadata.yaml").read_bytes()


def _scan_with_metadata(data: bytes, place: Path) -> object:
    made = place / "r"
    made.mkdir()
    (made / "r.db3").write_bytes(_rosbag2()[0])
    (made / "metadata.yaml").write_bytes(data)
    try:
        return scan(made)
    finally:
        shutil.rmtree(made)


RECORDINGS = (
    Target("mcap", _scan_as(".mcap"), _mcap, _MCAP, weight=0.5),
    Target("bag", _scan_as(".bag"), _bag, _BAG, weight=0.5),
    Target("sqlite", _scan_as(".db3"), lambda: [_rosbag2()[0]], _SQL, weight=0.3),
    Target("mcap_salvaged", _scan_as(".mcap", salvage=True), _mcap, _MCAP, weight=0.3),
    Target("bag_salvaged", _scan_as(".bag", salvage=True), _bag, _BAG, weight=0.3),
    Target("sqlite_salvaged", _scan_as(".db3", salvage=True), lambda: [_rosbag2()[0]], _SQL, weight=0.3),
    Target("metadata_yaml", _scan_with_metadata, lambda: [_rosbag2()[1]], _YAML, weight=0.3),
)
