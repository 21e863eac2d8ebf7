"""Damaged metadata: whatever stands anywhere in an episode's `zarr.json`, it is one kind of error, told at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bagmill.codecs import encode_depth, encode_jpeg
from bagmill.episodes import Episode, EpisodeWriter, verify_episode
from bagmill.errors import CodecError, StorageError

HOSTILE: tuple[Any, ...] = (
    *(None, -1, 0, 1, 0.5, 1e308, float("nan"), "", "x", "../..", "\ud800", [], [0], [-1], [2**40], {}, {"a": 1}, True),
    *(2**70, 10**30, json.loads("[" * 300 + "]" * 300)),
)
TICKS = 6


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with EpisodeWriter(tmp_path_factory.mktemp("dataset"), "e", "v") as writer:
        images = writer.add_images("images/a", num_ticks=TICKS, height=16, width=24, step="420")
        depth = writer.add_depth("depth/b", num_ticks=TICKS, height=16, width=24, attributes={"scale_m": 0.001})
        for tick in range(TICKS):
            images.put(tick, encode_jpeg(np.full((16, 24, 3), tick, np.uint8)))
            depth.put(tick, encode_depth(np.full((16, 24), tick, np.uint16)))
        writer.put_signal("s", np.zeros((TICKS, 2)), attributes={"names": ["x", "y"], "is_named": True, "units": "m"})
        writer.put_array("time", np.arange(TICKS))
        for name in ("images/a", "depth/b", "s"):
            writer.put_array(f"valid/{name}", np.ones(TICKS, np.bool_))
            writer.put_array(f"source/{name}", np.arange(TICKS))
        fault = {"reason": "r", "channel": "/x", "num_messages": 1, "first_sequence": 0, "first_ns": 0}
        feature = {
            "kind": "signal",
            "channel": "/x",
            "names": ["x", "y"],
            "decode_faults": [fault],
            "codec": {"step": "copy"},
        }
        return writer.publish(
            {
                "episode": "e",
                "rate_hz": "30",
                "recording": {"container": "MCAP", "size_bytes": 1},
                "profile": {"name": "p"},
                "features": {"s": feature},
                "faults": [{"code": "c", "message": "m", "severity": "warn"}],
            }
        )


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if way:
        yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*way, key))


def _grid(*shape: int) -> dict[str, Any]:
    return {"name": "regular", "configuration": {"chunk_shape": list(shape)}}


def read_everything(path: Path) -> None:
    episode = Episode.open(path)
    assert len(episode.time_ns) == episode.num_ticks
    for name, feature in episode.features.items():
        episode.valid(name)
        if feature.kind == "signal":
            episode.signal(name)
        elif episode.num_ticks:
            episode.frame(name, 0)
            episode.stored_ticks(name)


@pytest.mark.parametrize("stride", [3 * len(HOSTILE) + 1, pytest.param(4, marks=pytest.mark.slow)])
def test_any_value_anywhere_is_a_damage_or_none(episode: Path, stride: int) -> None:
    """Every so many of all places and values, by turns in the episode's metadata alone and in the array's own file as well."""
    file = episode / "zarr.json"
    whole = file.read_text()
    root = json.loads(whole)
    try:
        every = [(way, value) for way in places(root) for value in HOSTILE]
        for n, (way, value) in enumerate(every[::stride]):
            changed = copy.deepcopy(root)
            at = changed
            for key in way[:-1]:
                at = at[key]
            at[way[-1]] = value
            file.write_text(json.dumps(changed))
            own = episode / str(way[2]) / "zarr.json" if n % 2 and way[1:2] == ("metadata",) and len(way) > 3 else None
            before = own.read_text() if own is not None and own.exists() else None
            if own is not None and before is not None:
                own.write_text(json.dumps(changed["consolidated_metadata"]["metadata"][way[2]]))
            for damage in verify_episode(episode).damages:
                assert str(damage)
            try:
                read_everything(episode)
            except StorageError as err:
                assert str(err)
            if own is not None and before is not None:
                own.write_text(before)
    finally:
        file.write_text(whole)
    assert verify_episode(episode).is_whole
    read_everything(episode)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[" * 100_000, "metadata are damaged"),
        (b"\xff\xfe", "metadata are damaged"),
        (b'{"attributes": ' + b"[" * 100 + b"]" * 100 + b"}", "depth of an episode's metadata"),
        (b"[]", "metadata are damaged"),
        (b'{"attributes": {"bagmill_format": 1}, "consolidated_metadata": {"metadata": []}}', "metadata are damaged"),
    ],
)
def test_files_that_are_no_metadata_are_told(episode: Path, tmp_path: Path, text: bytes, says: str) -> None:
    folder = tmp_path / "v.zarr"
    folder.mkdir()
    (folder / "zarr.json").write_bytes(text)
    with pytest.raises(StorageError, match=says):
        Episode.open(folder)
    (damage,) = verify_episode(folder).damages
    assert "metadata are damaged" in damage.problem


@pytest.mark.parametrize(
    ("array", "change", "says"),
    [
        ("time", {"shape": [2**62]}, r"less than or equal to 86400000 @ \$.shape\[0\]"),
        ("s", {"shape": [80_000_000, 2], "chunk_grid": _grid(65536, 2)}, "ticks"),
        ("s", {"data_type": "float128"}, r"@ \$.data_type"),
        ("s", {"chunk_grid": _grid(0, 2)}, "chunk_shape"),
        ("images/a", {"shape": [TICKS, 2**20, 2**20, 3]}, "values a tick"),
    ],
)  # fmt: skip
def test_sizes_that_cannot_be_are_refused_before_room_is_made(
    episode: Path, array: str, change: dict[str, Any], says: str
) -> None:
    file = episode / "zarr.json"
    whole = file.read_text()
    root = json.loads(whole)
    root["consolidated_metadata"]["metadata"][array] |= change
    file.write_text(json.dumps(root))
    try:
        told = [str(damage) for damage in verify_episode(episode).damages]
        assert any(says.replace("\\", "").split(" @ ")[0].strip("$") in each for each in told), told
        with pytest.raises(StorageError):
            read_everything(episode)
    finally:
        file.write_text(whole)


def test_a_frame_of_another_size_does_not_get_into_an_episode(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        depth = writer.add_depth("depth/a", num_ticks=2, height=4, width=6)
        lossless = writer.add_images("images/a", num_ticks=2, height=4, width=6, step="lossless")
        with pytest.raises(CodecError, match="expected a Zstandard frame of 48 bytes, found one of 192"):
            depth.put(0, encode_depth(np.zeros((8, 12), np.uint16)))
        with pytest.raises(CodecError, match="expected a Zstandard frame of 72 bytes, found one of 48"):
            lossless.put(0, encode_depth(np.zeros((4, 6), np.uint16)))
        with pytest.raises(CodecError, match="a damaged Zstandard frame"):
            depth.put(0, b"no frame")
        depth.put(0, encode_depth(np.zeros((4, 6), np.uint16)))
