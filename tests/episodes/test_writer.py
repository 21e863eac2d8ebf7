"""The writer: judged by stock zarr, by Pillow, and by what is on the disk afterwards."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr
from numcodecs import zstd

from bagmill.codecs import encode_jpeg
from bagmill.episodes import EpisodeWriter, verify_episode
from bagmill.errors import CodecError, StorageError

SIZE = {"height": 16, "width": 24}
FRAME = encode_jpeg(np.full((16, 24, 3), 90, np.uint8))
DEPTH = zstd.compress(np.arange(16 * 24, dtype="<u2"), 3)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _publish_depth(dataset: Path, puts: list[tuple[int, list[int], bytes]], num_ticks: int) -> Path:
    with EpisodeWriter(dataset, "e", "v") as writer:
        sink = writer.add_depth("depth/a", num_ticks=num_ticks, **SIZE)
        for tick, also, data in puts:
            sink.put(tick, data, also=also)
        writer.put_array("time", np.arange(num_ticks))
        return writer.publish({})


@pytest.mark.parametrize(
    ("num_ticks", "invalid"),
    [
        (1, ()),
        (1, (0,)),
        (5, (2,)),
        (127, ()),
        (128, (0, 127)),
        (129, (3,)),
        (130, tuple(range(130))),
        (257, (*range(128, 256),)),
    ],
)
def test_stock_zarr_reads_back_what_was_put(
    make_episode: Callable[..., Path],
    expected_frame: Callable[[str, int], np.ndarray],
    num_ticks: int,
    invalid: tuple[int, ...],
) -> None:
    group = zarr.open_group(make_episode(num_ticks, invalid), mode="r", use_consolidated=True)

    valid = ~np.isin(np.arange(num_ticks), invalid)
    assert np.array_equal(group["valid/depth/wrist"][:], valid)
    assert np.array_equal(group["sequence/state"][:], np.where(valid, np.arange(num_ticks), -1))
    assert group["time"].dtype == np.int64
    assert group["state"].shape == (num_ticks, 3)
    assert np.array_equal(np.isnan(group["state"][:, 0]), ~valid)
    for name in ("images/copied", "images/encoded", "images/lossless"):
        array = group[name]
        assert array.shape == (num_ticks, 16, 24, 3)
        assert array.dtype == np.uint8
        assert array.chunks == (1, 16, 24, 3)
        assert array.shards == (min(num_ticks, 128), 16, 24, 3)
        frames = array[:]
        for tick in range(num_ticks):
            expected = expected_frame(name, tick) if valid[tick] else np.zeros((16, 24, 3))
            assert np.abs(frames[tick].astype(int) - expected).max() <= (0 if name == "images/lossless" else 1)
    depth = group["depth/wrist"][:]
    for place, tick in enumerate(np.flatnonzero(valid)):
        assert np.array_equal(depth[tick], expected_frame("depth/wrist", place))
    assert not depth[~valid].any()


def test_attributes_are_those_given(make_episode: Callable[..., Path]) -> None:
    group = zarr.open_group(make_episode(), mode="r")
    said = dict(group.attrs)
    del said["checksums"]
    assert said == {"bagmill_format": 1, "recording": "trial", "profile": {"name": "p"}}
    assert dict(group["images/encoded"].attrs) == {"a": [1, None]}
    assert dict(group["depth/wrist"].attrs) == {"scale_m": 0.001}
    assert dict(group["images/copied"].attrs) == {}


def test_the_codecs_on_record_are_those_of_the_step(make_episode: Callable[..., Path]) -> None:
    nodes = json.loads((make_episode() / "zarr.json").read_text())["consolidated_metadata"]["metadata"]

    def codecs(name: str) -> list[dict[str, object]]:
        (sharding,) = nodes[name]["codecs"]
        assert sharding["configuration"]["index_location"] == "end"
        assert [codec["name"] for codec in sharding["configuration"]["index_codecs"]] == ["bytes", "crc32c"]
        return sharding["configuration"]["codecs"]

    jpeg = {"name": "imagecodecs_jpeg", "configuration": {"colorspace_data": "RGB"}}
    assert codecs("images/copied") == [jpeg, {"name": "crc32c"}]
    jpeg["configuration"] |= {"level": 90, "subsampling": "444"}  # type: ignore[operator]
    assert codecs("images/encoded") == [jpeg, {"name": "crc32c"}]
    assert [codec["name"] for codec in codecs("images/lossless")] == ["bytes", "zstd", "crc32c"]
    assert codecs("depth/wrist") == [
        {"name": "bytes", "configuration": {"endian": "little"}},
        {"name": "zstd", "configuration": {"level": 3, "checksum": False}},
        {"name": "crc32c"},
    ]


def test_consolidated_metadata_are_what_zarr_itself_would_write(make_episode: Callable[..., Path]) -> None:
    path = make_episode()
    ours = json.loads((path / "zarr.json").read_text())
    with pytest.warns(UserWarning, match="Consolidated metadata is currently not part"):
        zarr.consolidate_metadata(str(path))
    by_zarr = json.loads((path / "zarr.json").read_text())
    assert ours == by_zarr


def test_the_same_calls_give_the_same_bytes(make_episode: Callable[..., Path]) -> None:
    first, second = (_files(make_episode(131, (5, 130), dataset=name)) for name in ("first", "second"))
    assert first == second
    assert len(first) > 40


def test_frames_that_several_ticks_share_are_stored_once_in_every_shard(tmp_path: Path) -> None:
    path = _publish_depth(tmp_path, [(126, [127, 128, 129, 130], DEPTH)], 131)

    for shard in (0, 1):
        size = (path / f"depth/a/c/{shard}/0/0").stat().st_size
        assert size == len(DEPTH) + 4 + 128 * 16 + 4
    frames = zarr.open_group(path, mode="r")["depth/a"][:]
    for tick in range(131):
        assert frames[tick].any() == (tick >= 126)
    assert np.array_equal(frames[130].reshape(-1), np.arange(16 * 24))


def test_frames_may_come_in_any_order(tmp_path: Path) -> None:
    num_ticks = 128 * 7
    order = np.random.default_rng(0).permutation(num_ticks).tolist()
    frames = [zstd.compress(np.full(16 * 24, tick, "<u2"), 3) for tick in range(num_ticks)]

    path = _publish_depth(tmp_path, [(tick, [], frames[tick]) for tick in order], num_ticks)

    array = zarr.open_group(path, mode="r")["depth/a"]
    assert np.array_equal(array[:, 3, 5], np.arange(num_ticks))


def test_an_episode_without_ticks(tmp_path: Path) -> None:
    path = _publish_depth(tmp_path, [], 0)
    assert zarr.open_group(path, mode="r")["depth/a"].shape == (0, 16, 24)
    assert zarr.open_group(path, mode="r")["time"][:].shape == (0,)


def test_a_camera_can_be_encoded_again_a_step_finer(tmp_path: Path) -> None:
    def publish(dataset: Path, is_second_try: bool) -> Path:
        with EpisodeWriter(dataset, "e", "v") as writer:
            if is_second_try:
                coarse = writer.add_images("images/a", num_ticks=200, step="420", **SIZE)
                for tick in range(150):
                    coarse.put(tick, FRAME)
                writer.discard_frames("images/a")
            fine = writer.add_images("images/a", num_ticks=200, step="444", **SIZE)
            fine.put(7, encode_jpeg(np.full((16, 24, 3), 80, np.uint8), subsampling="444"))
            writer.put_array("time", np.arange(200))
            return writer.publish({})

    assert _files(publish(tmp_path / "a", True)) == _files(publish(tmp_path / "b", False))


def test_only_frames_that_were_added_are_discarded(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer, pytest.raises(StorageError, match="no frames of images/a"):
        writer.discard_frames("images/a")


@pytest.mark.parametrize("tick", [-1, 5])
def test_a_tick_outside_is_refused(tmp_path: Path, tick: int) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        sink = writer.add_images("images/a", num_ticks=5, step="copy", **SIZE)
        with pytest.raises(StorageError, match=f"tick {tick} is outside"):
            sink.put(tick, FRAME)


def test_a_tick_has_one_frame(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        sink = writer.add_images("images/a", num_ticks=5, step="copy", **SIZE)
        sink.put(3, FRAME)
        with pytest.raises(StorageError, match="chunk 3 was written before"):
            sink.put(3, FRAME)


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (encode_jpeg(np.zeros((16, 25, 3), np.uint8)), "expected a gray or colour JPEG of 24×16, found 25×16"),
        (b"\x89PNG", "not a JPEG"),
    ],
)
def test_a_jpeg_that_no_reader_could_fit_into_the_array_is_refused(tmp_path: Path, frame: bytes, problem: str) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        sink = writer.add_images("images/a", num_ticks=5, step="copy", **SIZE)
        with pytest.raises(CodecError, match=problem):
            sink.put(3, frame)


def test_names_are_taken_once(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        writer.add_depth("depth/a", num_ticks=5, **SIZE)
        with pytest.raises(StorageError, match="cannot be written"):
            writer.add_depth("depth/a", num_ticks=5, **SIZE)
        writer.put_array("time", np.arange(5))
        with pytest.raises(StorageError, match="cannot be written"):
            writer.put_array("time", np.arange(5))


def test_arrays_that_do_not_fit_together_are_not_published(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        writer.put_signal("state", np.zeros((4, 2), np.float32))
        writer.add_depth("depth/a", num_ticks=5, **SIZE).put(0, DEPTH)
        with pytest.raises(StorageError, match="there is no array time"):
            writer.publish({})
        writer.put_array("time", np.arange(5))
        with pytest.raises(StorageError, match="state has 4 ticks, time has 5"):
            writer.publish({})
    assert not list((tmp_path / "episodes/e").iterdir())


@pytest.mark.parametrize("values", [np.zeros(4, np.float32), np.zeros((4, 2), np.int64)])
def test_a_signal_is_made_of_rows_of_floats(tmp_path: Path, values: np.ndarray) -> None:
    with (
        EpisodeWriter(tmp_path, "e", "v") as writer,
        pytest.raises(StorageError, match=r"state: expected float \(T, D\)"),
    ):
        writer.put_signal("state", values)


@pytest.mark.parametrize("attributes", [{"a": float("nan")}, {"a": {1, 2}}, {"a": np.float32(1)}])
def test_attributes_that_are_no_json_are_refused(tmp_path: Path, attributes: dict[str, object]) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        writer.put_array("time", np.arange(5))
        with pytest.raises(StorageError, match="attributes that are not JSON"):
            writer.publish(attributes)
    assert not list((tmp_path / "episodes/e").iterdir())


def test_nothing_is_left_where_the_block_ends_without_publishing(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, "e", "v")

    def write() -> None:
        with writer:
            writer.add_images("images/a", num_ticks=5, step="copy", **SIZE).put(3, FRAME)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write()
    assert not list((tmp_path / "episodes/e").iterdir())
    with pytest.raises(StorageError, match="its writer is not open"):
        writer.put_array("time", np.arange(5))


def test_a_version_that_is_published_stays_as_it_is(tmp_path: Path) -> None:
    def publish(value: int) -> EpisodeWriter:
        with EpisodeWriter(tmp_path, "e", "v") as writer:
            writer.put_array("time", np.full(5, value))
            writer.publish({"value": value})
        return writer

    first, second = publish(1), publish(2)

    assert (first.has_published, second.has_published) == (True, False)
    assert zarr.open_group(second.path, mode="r").attrs["value"] == 1
    assert [path.name for path in (tmp_path / "episodes/e").iterdir()] == ["v.zarr"]


def test_a_damaged_version_is_replaced_where_that_is_asked_for(tmp_path: Path) -> None:
    for value in (1, 2):
        with EpisodeWriter(tmp_path, "e", "v", replaces=True) as writer:
            writer.put_array("time", np.full(5, value))
            writer.publish({"value": value})
        assert writer.has_published
        assert zarr.open_group(writer.path, mode="r").attrs["value"] == value
        assert [path.name for path in (tmp_path / "episodes/e").iterdir()] == ["v.zarr"]


def test_what_is_to_be_replaced_stays_until_its_successor_is_whole(tmp_path: Path) -> None:
    for is_whole in (True, False):
        with EpisodeWriter(tmp_path, "e", "v", replaces=True) as writer:
            if is_whole:
                writer.put_array("time", np.arange(5))
                writer.publish({})
            else:
                with pytest.raises(StorageError, match="there is no array time"):
                    writer.publish({})
    assert verify_episode(writer.path).damages == ()
    assert [path.name for path in (tmp_path / "episodes/e").iterdir()] == ["v.zarr"]


def test_of_writers_that_race_one_publishes(tmp_path: Path) -> None:
    num_writers = 4
    barrier = threading.Barrier(num_writers)
    has_published: list[bool] = []

    def publish() -> None:
        with EpisodeWriter(tmp_path, "e", "v") as writer:
            sink = writer.add_images("images/a", num_ticks=3, step="copy", **SIZE)
            valid = np.array([True, False, True])
            for tick in np.flatnonzero(valid).tolist():
                sink.put(tick, FRAME)
            writer.put_array("time", np.arange(3))
            writer.put_array("valid/images/a", valid)
            writer.put_array("source/images/a", np.arange(3))
            barrier.wait()
            writer.publish({})
        has_published.append(writer.has_published)

    threads = [threading.Thread(target=publish) for _ in range(num_writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(has_published) == [False] * (num_writers - 1) + [True]
    assert [path.name for path in (tmp_path / "episodes/e").iterdir()] == ["v.zarr"]
    assert verify_episode(tmp_path / "episodes/e/v.zarr").damages == ()


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "episodes").write_text("a file in the way")
    with pytest.raises(StorageError, match=r"cannot be written.*Check the disk's space and rights"):
        EpisodeWriter(tmp_path, "e", "v").__enter__()
