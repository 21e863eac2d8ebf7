"""The reader: compared with stock zarr, value by value."""

import json
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zarr

from bagmill.episodes import Episode
from bagmill.errors import StorageError

CAMERAS = ("images/copied", "images/encoded", "images/lossless", "depth/wrist")


@pytest.mark.parametrize(("num_ticks", "invalid"), [(1, ()), (1, (0,)), (129, (1, 128)), (140, tuple(range(140)))])
def test_everything_equals_what_zarr_reads(
    make_episode: Callable[..., Path], num_ticks: int, invalid: tuple[int, ...]
) -> None:
    path = make_episode(num_ticks, invalid)
    group = zarr.open_group(path, mode="r")
    episode = Episode.open(path)

    assert episode.num_ticks == num_ticks
    assert episode.attributes == dict(group.attrs)
    assert np.array_equal(episode.time_ns, group["time"][:])
    assert np.array_equal(episode.signal("state"), group["state"][:], equal_nan=True)
    for name in (*CAMERAS, "state"):
        assert np.array_equal(episode.valid(name), group[f"valid/{name}"][:])
        assert np.array_equal(episode.interpolated(name), group[f"interpolated/{name}"][:])
        assert np.array_equal(episode.source_ns(name), group[f"source/{name}"][:])
        assert np.array_equal(episode.sequence(name), group[f"sequence/{name}"][:])
        assert np.array_equal(episode.skew_ns(name), np.where(episode.valid(name), 1_000_000, 0))
    for name in CAMERAS:
        expected = group[name][:]
        assert np.array_equal(episode.stored_ticks(name), episode.valid(name))
        assert np.array_equal(episode.frames(name, range(num_ticks)), expected)
        for tick in range(num_ticks):
            frame = episode.frame(name, tick)
            assert frame.dtype == expected.dtype
            assert np.array_equal(frame, expected[tick])
            assert episode.has_frame(name, tick) == episode.valid(name)[tick]
            assert (episode.chunk_bytes(name, tick) is None) == (tick in invalid)


def test_features_are_described(make_episode: Callable[..., Path]) -> None:
    features = Episode.open(make_episode()).features
    assert set(features) == {*CAMERAS, "state"}
    assert (features["images/copied"].kind, features["images/copied"].shape) == ("image", (16, 24, 3))
    assert (features["depth/wrist"].kind, features["depth/wrist"].shape) == ("depth", (16, 24))
    assert (features["state"].kind, features["state"].shape) == ("signal", (3,))
    assert features["state"].dtype == np.float32
    assert features["depth/wrist"].dtype == np.uint16
    assert features["depth/wrist"].attributes == {"scale_m": 0.001}


def test_stored_bytes_are_the_encoded_frame(make_episode: Callable[..., Path]) -> None:
    data = Episode.open(make_episode()).chunk_bytes("images/copied", 0)
    assert data is not None
    assert bytes(data[:2]) == b"\xff\xd8"
    assert bytes(data[-2:]) == b"\xff\xd9"
    with pytest.raises(TypeError):
        data[0] = 0


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("name", CAMERAS)
def test_frames_come_in_the_order_asked_for(make_episode: Callable[..., Path], name: str, num_threads: int) -> None:
    episode = Episode.open(make_episode(133, (2, 130)))
    ticks = np.array([132, 0, 2, 130, 0, 127, 128, 5])
    frames = episode.frames(name, ticks, num_threads=num_threads)
    assert np.array_equal(frames, np.stack([episode.frame(name, tick) for tick in ticks]))
    assert not frames[2].any()
    assert episode.frames(name, []).shape == (0, *episode.features[name].shape)


def test_a_frame_goes_where_it_is_asked_to(make_episode: Callable[..., Path]) -> None:
    episode = Episode.open(make_episode())
    for name in CAMERAS:
        out = np.full((3, *episode.features[name].shape), 7, episode.features[name].dtype)
        assert episode.frame(name, 1, out=out[1]) is not None
        episode.frame(name, 2, out=out[2])
        assert np.array_equal(out[1], episode.frame(name, 1))
        assert not out[2].any()
        assert (out[0] == 7).all()


def test_an_episode_crosses_to_other_processes_and_threads(make_episode: Callable[..., Path]) -> None:
    episode = Episode.open(make_episode(130))
    before = episode.frames("images/encoded", range(130))
    episode.signal("state")

    copy = pickle.loads(pickle.dumps(episode))  # noqa: S301 - our own
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(lambda tick: copy.frame("images/encoded", tick), range(130)))
        times = list(pool.map(lambda _: copy.time_ns, range(8)))

    assert np.array_equal(frames, before)
    assert all(np.array_equal(time_ns, episode.time_ns) for time_ns in times)
    assert "130 ticks" in repr(copy)


def test_values_handed_out_cannot_be_changed(make_episode: Callable[..., Path]) -> None:
    episode = Episode.open(make_episode())
    with pytest.raises(ValueError, match="read-only"):
        episode.time_ns[0] = 1


@pytest.mark.parametrize("tick", [-1, 5])
def test_a_tick_outside_is_refused(make_episode: Callable[..., Path], tick: int) -> None:
    episode = Episode.open(make_episode())
    for read in (episode.frame, episode.chunk_bytes, episode.has_frame):
        with pytest.raises(StorageError, match=f"tick {tick} is outside the episode's 5 ticks"):
            read("images/copied", tick)


def test_unknown_names_are_refused_and_the_known_ones_told(make_episode: Callable[..., Path]) -> None:
    episode = Episode.open(make_episode())
    with pytest.raises(StorageError, match=r"there is no images/none. It has depth/wrist, images/copied"):
        episode.frame("images/none", 0)
    with pytest.raises(StorageError, match="there is no state"):
        episode.frame("state", 0)
    with pytest.raises(StorageError, match=r"there is no images/copied\. It has state"):
        episode.signal("images/copied")
    with pytest.raises(StorageError, match="there is no time"):
        episode.valid("time")


def test_damage_is_a_storage_error_with_a_remedy(make_episode: Callable[..., Path]) -> None:
    path = make_episode()
    shard = path / "images/copied/c/0/0/0/0"
    data = bytearray(shard.read_bytes())
    data[30] ^= 1
    shard.write_bytes(data)
    (path / "time/c/0").write_bytes(b"nothing")
    episode = Episode.open(path)

    with pytest.raises(StorageError, match=r"images/copied.*does not match its checksum.*Verify the episode"):
        episode.frame("images/copied", 0)
    assert episode.frame("images/copied", 1).any()
    with pytest.raises(StorageError, match=r"array time cannot be read.*Verify the episode"):
        _ = episode.time_ns


def test_what_is_no_episode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"there is no published episode.*ingest the recording first"):
        Episode.open(tmp_path / "none.zarr")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: json.dumps({"attributes": {}}),
        lambda text: text.replace('"node_type": "array"', '"node_type": 3'),
        lambda text: text.replace('"time"', '"tyme"'),
        lambda text: text.replace('"uint8"', '"nothing"'),
    ],
)
def test_damaged_metadata_are_refused(make_episode: Callable[..., Path], change: Callable[[str], str]) -> None:
    file = make_episode() / "zarr.json"
    file.write_text(change(file.read_text()))
    with pytest.raises(StorageError, match="metadata are damaged"):
        Episode.open(file.parent)


def test_another_format_is_refused(make_episode: Callable[..., Path]) -> None:
    file = make_episode() / "zarr.json"
    file.write_text(file.read_text().replace('"bagmill_format": 1', '"bagmill_format": 2'))
    with pytest.raises(StorageError, match=r"expected an episode of format 1, found 2.*make it again"):
        Episode.open(file.parent)


@pytest.mark.parametrize(
    ("old", "new"), [("imagecodecs_jpeg", "jpeg"), ('"index_location": "end"', '"index_location": "start"')]
)
def test_frames_that_are_laid_out_otherwise_are_refused(make_episode: Callable[..., Path], old: str, new: str) -> None:
    file = make_episode() / "zarr.json"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(StorageError, match=r"array \S+ is not laid out as frames are in episodes of format 1"):
        Episode.open(file.parent)
