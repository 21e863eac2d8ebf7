"""Datasets in stores: what is read is what a local dataset gives, whatever the store, the disk and other processes do."""

import importlib.util
import json
import multiprocessing
import os
import pickle
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagmill.dataset import Dataset, make_snapshot
from bagmill.errors import StorageError, TrainingError
from bagmill.normalisation import load_normalisation, measure_normalisation, save_normalisation
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset, Mixture
from tests.processes import living_children
from tests.store_server import StoreServer, serving

pytest.importorskip("obstore", reason="obstore is not installed: pip install -e '.[remote]'")

WINDOWS = {
    "features": ["images/high", "depth/high", "state", "action", "skew/images/high"],
    "history": 2,
    "horizon": 3,
    "frame_cache_bytes": 0,
}
NO_ROOM = 0


@pytest.fixture
def store(dataset: Dataset) -> Iterator[StoreServer]:
    with serving(dataset.path.parent) as server:
        yield server


@pytest.fixture
def local(dataset: Dataset) -> EpisodeDataset:
    return EpisodeDataset(dataset, **WINDOWS)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def stored(store: StoreServer, cache: Path) -> Callable[..., EpisodeDataset]:
    def make(**options) -> EpisodeDataset:
        return EpisodeDataset(
            f"{store.url}/dataset", **{"cache_folder": cache, "patience_s": 20.0, **WINDOWS, **options}
        )

    return make


def in_random_order(data: EpisodeDataset, batch_size: int = 20) -> Iterator[np.ndarray]:
    # Enough of them to touch every shard.
    order = np.random.default_rng(0).permutation(len(data))[:80]
    for first in range(0, len(order), batch_size):
        yield order[first : first + batch_size]


def assert_same(found: EpisodeDataset | Mixture, expected: EpisodeDataset | Mixture, samples) -> None:
    batch = found.batch(samples)
    for key, array in expected.batch(samples).items():
        assert np.array_equal(batch[key], array), key


def assert_all_same(found: EpisodeDataset, expected: EpisodeDataset) -> None:
    for samples in in_random_order(expected):
        assert_same(found, expected, samples)


def shards_in(cache: Path) -> list[Path]:
    """Files of cameras, unfinished ones too."""
    of_cameras = [*cache.glob("*/episodes/*/*/images/**/c/**/*"), *cache.glob("*/episodes/*/*/depth/**/c/**/*")]
    return [path for path in of_cameras if path.is_file() and path.suffix != ".index"]


def bytes_of(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


@pytest.mark.parametrize("shard_cache_bytes", [1 << 30, NO_ROOM], ids=["whole", "pieces"])
@pytest.mark.parametrize("kind", ["http", "s3", "file"])
def test_batches_are_those_of_a_local_dataset(
    kind: str,
    shard_cache_bytes: int,
    store: StoreServer,
    local: EpisodeDataset,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    address = {"http": f"{store.url}/dataset", "s3": "s3://dataset", "file": local.dataset.path.as_uri()}[kind]
    found = EpisodeDataset(address, cache_folder=cache, shard_cache_bytes=shard_cache_bytes, **WINDOWS)
    assert found.spec == local.spec
    assert found.snapshot_id == local.snapshot_id
    assert address in repr(found)
    assert_all_same(found, local)
    assert bool(shards_in(cache)) is bool(shard_cache_bytes)
    if kind != "file":
        # A shard is asked for once; where it has no room, not as a whole, but for the one that showed it.
        of_high = store.asked_whole("/images/high/c/")
        assert len(of_high) == len(set(of_high))
        assert bool(store.asked_pieces("/images/high/c/")) is not bool(shard_cache_bytes)


def test_only_valid_samples_are_those_of_a_local_dataset(
    stored: Callable[..., EpisodeDataset], dataset: Dataset, cache: Path
):
    choice = {"padding": "drop", "only_valid": ["state", "images/high"]}
    local = EpisodeDataset(dataset, **WINDOWS, **choice)
    found = stored(**choice)
    assert len(found) == len(local) < len(EpisodeDataset(dataset, **WINDOWS, padding="drop"))
    assert found.fingerprint == local.fingerprint
    assert not shards_in(cache), "no picture is fetched to find out"
    assert_all_same(found, local)


def test_shards_stay_within_their_bound(
    stored: Callable[..., EpisodeDataset], local: EpisodeDataset, cache: Path, store: StoreServer
):
    assert_all_same(stored(), local)
    bound = bytes_of(shards_in(cache)) // 2
    shutil.rmtree(cache)
    data = stored(shard_cache_bytes=bound)
    for samples in in_random_order(data):
        assert_same(data, local, samples)
        assert 0 < bytes_of(shards_in(cache)) <= bound


def test_a_later_run_takes_the_room_of_an_earlier_one(
    stored: Callable[..., EpisodeDataset], local: EpisodeDataset, cache: Path
):
    first = stored(where="episode == 'long'")
    assert_all_same(first, EpisodeDataset(local.dataset, where="episode == 'long'", **WINDOWS))
    held = shards_in(cache)
    second = stored(where="episode == 'forty'", shard_cache_bytes=bytes_of(held))
    assert_all_same(second, EpisodeDataset(local.dataset, where="episode == 'forty'", **WINDOWS))
    assert bytes_of(shards_in(cache)) <= bytes_of([path for path in held if path.exists()]) + bytes_of(
        [path for path in shards_in(cache) if "/forty/" in str(path)]
    )
    assert any("/forty/" in str(path) for path in shards_in(cache))
    assert not all(path.exists() for path in held)
    # What was pushed out while it was in use is fetched again, or in pieces.
    assert_all_same(first, EpisodeDataset(local.dataset, where="episode == 'long'", **WINDOWS))


def test_two_processes_share_what_is_fetched(store: StoreServer, cache: Path, local: EpisodeDataset):
    address = f"{store.url}/dataset"
    readers = [multiprocessing.get_context("fork").Process(target=read_all, args=(address, cache)) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert [reader.exitcode for reader in readers] == [0, 0]
    # All of it is here now: nothing is asked for that is no name.
    num_asked = len(store.asked)
    assert_all_same(EpisodeDataset(address, snapshot=local.snapshot_id, cache_folder=cache, **WINDOWS), local)
    assert len(store.asked) == num_asked
    asked = store.asked_whole("/c/")
    assert len(asked) > 20
    assert len(asked) == len(set(asked))


def read_all(address: str, cache: Path) -> None:
    data = EpisodeDataset(address, cache_folder=cache, **WINDOWS)
    data.batch(np.arange(len(data)))


@pytest.mark.parametrize("shard_cache_bytes", [1 << 30, NO_ROOM], ids=["whole", "pieces"])
@pytest.mark.parametrize("fault", ["num_refused", "num_broken"])
def test_what_passes_is_not_noticed(
    fault: str,
    shard_cache_bytes: int,
    store: StoreServer,
    stored: Callable[..., EpisodeDataset],
    local: EpisodeDataset,
):
    setattr(store, fault, 2)
    data = stored(shard_cache_bytes=shard_cache_bytes)
    setattr(store, fault, 6)
    assert_same(data, local, [3, 60, 199])
    assert getattr(store, fault) == 0


def test_a_store_that_is_away_is_told_of(store: StoreServer, stored: Callable[..., EpisodeDataset]):
    data = stored(patience_s=0.2)
    store.num_refused = 10_000
    with pytest.raises(
        StorageError, match=r"/episodes/.* cannot be fetched: .*503.* Check the address, the network"
    ) as told:
        data.batch([0])
    assert store.url in str(told.value)
    assert "\n" not in str(told.value)
    with pytest.raises(StorageError, match=r"latest.json cannot be fetched"):
        stored(patience_s=0.2)
    store.refusal = 403
    with pytest.raises(StorageError, match=r"latest.json may not be read: .* Check the credentials"):
        stored()
    store.num_refused = 0
    assert len(data.batch([0])["state"]) == 1


def test_nobody_there_is_told_of(tmp_path: Path):
    with serving(tmp_path) as store:
        address = f"{store.url}/dataset"
    with pytest.raises(StorageError, match=r"dataset/snapshots/latest.json cannot be fetched"):
        EpisodeDataset(address, cache_folder=tmp_path / "cache", patience_s=0.1)


def test_when_the_process_that_fetches_is_killed_another_one_reads_on(
    store: StoreServer, stored: Callable[..., EpisodeDataset], local: EpisodeDataset, cache: Path
):
    earlier = set(living_children(os.getpid(), program="bagmill.stores.serve"))
    data = stored()
    started = set(living_children(os.getpid(), program="bagmill.stores.serve")) - earlier
    store.stall_at = "/images/high/c/0/0/0/0"
    data.prefetch([190])
    assert store.stalled.wait(30)
    (pid,) = started
    os.kill(pid, signal.SIGKILL)
    for _, future in data._open().ahead._shards._ahead.values():
        future.exception(30)
    assert [path for path in shards_in(cache) if path.name == "0" and "/images/high/" in str(path)] == []
    store.stall_at = None
    store.resume.set()
    assert_all_same(data, local)


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_workers_read_what_the_process_that_started_them_fetches(
    start_method: str, stored: Callable[..., EpisodeDataset], local: EpisodeDataset, store: StoreServer
):
    pytest.importorskip("torch")
    from bagmill.training.torch import make_loader

    expected = list(make_loader(local, batch_size=40, seed=1))
    loader = make_loader(
        stored(), batch_size=40, seed=1, num_workers=1 + (start_method == "fork"), start_method=start_method
    )
    for found, batch in zip(loader, expected, strict=True):
        for key in batch:
            assert (found[key] == batch[key]).all(), key
    asked = store.asked_whole("/c/")
    assert len(asked) == len(set(asked))


def test_a_loader_fetches_ahead_of_what_it_decodes(stored: Callable[..., EpisodeDataset], store: StoreServer):
    pytest.importorskip("torch")
    from bagmill.training.torch import make_loader

    data = stored(features=["images/high"])
    loader = make_loader(data, batch_size=1, seed=1, shuffle=False, tail="drop", prefetch=0, read_ahead=60)
    batches = iter(loader)
    next(batches)
    # The first batch is of `forty`; sixty samples on is `long`.
    wait_until(lambda: store.asked_whole("/long/"))
    batches.close()


@pytest.mark.parametrize("shard_cache_bytes", [1 << 30, NO_ROOM], ids=["whole", "pieces"])
def test_what_was_announced_is_read_without_the_store(
    shard_cache_bytes: int,
    stored: Callable[..., EpisodeDataset],
    local: EpisodeDataset,
    store: StoreServer,
    cache: Path,
):
    data = stored(shard_cache_bytes=shard_cache_bytes, patience_s=0.1)
    if shard_cache_bytes == NO_ROOM:
        data.batch([5])  # shows that there is no room
    samples = [0, 70, 71, 190]
    data.prefetch(samples)
    opened = data._open()
    for _, future in opened.ahead._shards._ahead.values():
        future.result(30)
    for episode in np.unique(data.locate(samples)[0]).tolist():
        for key in data._selection.columns:
            paths = [Path(path) for path in opened.ahead.value_paths(episode, key)]
            wait_until(lambda paths=paths: all(path.exists() for path in paths))
    num_asked = len(store.asked)
    assert_same(data, local, samples)
    assert len(store.asked) == num_asked


def test_what_was_announced_and_not_read_does_not_stay_for_ever(stored: Callable[..., EpisodeDataset]):
    data = stored(shard_cache_bytes=NO_ROOM)
    for n in range(80):
        data.prefetch([n, 199 - n])
    ahead = data._open().ahead._shards._ahead
    assert {call for call, _ in ahead.values()} <= set(range(15, 80))


def test_damage_on_this_machine_heals(
    stored: Callable[..., EpisodeDataset], local: EpisodeDataset, cache: Path, store: StoreServer
):
    assert_all_same(stored(), local)
    damaged = [path for path in cache.rglob("*") if path.is_file() and "/c/" in str(path)]
    for path in damaged:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    assert_all_same(stored(), local)


@pytest.mark.parametrize("shard_cache_bytes", [1 << 30, NO_ROOM], ids=["whole", "pieces"])
@pytest.mark.parametrize("where", ["images/high/c/0/0/0/0", "state/c/0/0"])
def test_damage_in_the_store_is_told_with_its_address(
    where: str, shard_cache_bytes: int, dataset: Dataset, tmp_path: Path
):
    copy = shutil.copytree(dataset.path, tmp_path / "copy")
    (path,) = copy.glob(f"episodes/forty/*/{where}")
    data = bytearray(path.read_bytes())
    data[: len(data) // 2] = bytes(len(data) // 2)
    path.write_bytes(data)
    found = EpisodeDataset(
        copy.as_uri(),
        where="episode == 'forty'",
        cache_folder=tmp_path / "cache",
        shard_cache_bytes=shard_cache_bytes,
        frame_cache_bytes=0,
    )
    with pytest.raises(StorageError, match=rf"^{copy.as_uri()}/episodes/forty/.*checksum"):
        found.batch([0, 1, 2])


@pytest.mark.parametrize("shard_cache_bytes", [1 << 30, NO_ROOM], ids=["whole", "pieces"])
def test_a_camera_that_saw_nothing_is_black_and_an_episode_that_is_gone_an_error(
    shard_cache_bytes: int, make_episode: Callable[..., PublishedEpisode], tmp_path: Path
):
    made = Dataset(tmp_path / "made")
    publish_episode(made, make_episode("blind", 9, seed=1, valid={"images/high": np.zeros(9, np.bool_)}))
    gone = publish_episode(made, make_episode("gone", 9, seed=2))
    make_snapshot(made)
    with serving(made.path.parent) as store:
        data = EpisodeDataset(
            f"{store.url}/made", cache_folder=tmp_path / "cache", shard_cache_bytes=shard_cache_bytes, **WINDOWS
        )
        expected = EpisodeDataset(made, **WINDOWS)
        for _ in range(2):
            assert_same(data, expected, np.arange(9))
        assert not data.batch([4])["images/high"].any()
        assert (
            len(store.asked_whole("/blind/") + store.asked_pieces("/blind/"))
            == len({*store.asked_whole("/blind/"), *store.asked_pieces("/blind/")})
            or shard_cache_bytes == NO_ROOM
        )
        shutil.rmtree(gone)
        with pytest.raises(StorageError, match=rf"{store.url}/made/episodes/gone/.* is not there"):
            data.batch([12])
        only_frames = EpisodeDataset(
            f"{store.url}/made", cache_folder=tmp_path / "cache", shard_cache_bytes=shard_cache_bytes, **WINDOWS
        )
        opened = only_frames._open()
        shard = opened.cameras["images/high"].shard_path(only_frames._roots[1], 0)
        with pytest.raises(StorageError, match=rf"no published episode at {store.url}/made/episodes/gone/"):
            opened.frames._files.read(shard, 9, [3])


def test_names_are_asked_anew_and_ids_are_not(
    make_episode: Callable[..., PublishedEpisode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = Dataset(tmp_path / "made")
    publish_episode(made, make_episode("first", 4, seed=1))
    first = make_snapshot(made).id
    with serving(tmp_path) as store:
        options = {"cache_folder": tmp_path / "cache", "patience_s": 0.1}
        address = f"{store.url}/made/"
        assert EpisodeDataset(address, **options).snapshot_id == first
        publish_episode(made, make_episode("second", 4, seed=2))
        second = make_snapshot(made, name="given").id
        assert EpisodeDataset(address, **options).snapshot_id == second
        data = EpisodeDataset(address, snapshot="given", **options)
        expected = data.batch(np.arange(8))
        with pytest.raises(StorageError, match=rf"no snapshot is called 'other' at {store.url}/made\."):
            EpisodeDataset(address, snapshot="other", **options)
        with pytest.raises(StorageError, match=r"no snapshot has the id 0{20} at"):
            EpisodeDataset(address, snapshot="0" * 20, **options)
        with pytest.raises(StorageError, match=r"is no name for a snapshot"):
            EpisodeDataset(address, snapshot="../other", **options)
        recipe = data.recipe()
    assert recipe["dataset"] == address.rstrip("/")
    # Nobody is there any more, and nothing new is needed.
    again = EpisodeDataset(address, snapshot=second, **options)
    for key, array in again.batch(np.arange(8)).items():
        assert np.array_equal(array, expected[key]), key
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "of_user"))
    shutil.copytree(tmp_path / "cache", tmp_path / "of_user" / "bagmill")
    assert EpisodeDataset.from_recipe(recipe).table.equals(data.table)


def test_normalisation_comes_along(make_episode: Callable[..., PublishedEpisode], tmp_path: Path):
    made = Dataset(tmp_path / "made")
    publish_episode(made, make_episode("first", 4, seed=1))
    make_snapshot(made)
    save_normalisation(made, measure_normalisation(made))
    data = EpisodeDataset(made.path.as_uri(), cache_folder=tmp_path / "cache")
    assert load_normalisation(data.dataset, data.snapshot_id) == load_normalisation(made, data.snapshot_id)


def test_a_mixture_reads_from_stores(stored: Callable[..., EpisodeDataset], local: EpisodeDataset, store: StoreServer):
    mixed = Mixture([(stored(where="num_ticks > 9"), 1), (local, 1)])
    assert mixed.is_remote
    mixed.prefetch(range(10))
    wait_until(lambda: store.asked_whole("/images/high/c/"))
    expected = Mixture([(EpisodeDataset(local.dataset, where="num_ticks > 9", **WINDOWS), 1), (local, 1)])
    assert not expected.is_remote
    assert_same(mixed, expected, np.arange(40))


def test_a_pickled_dataset_reads_on(stored: Callable[..., EpisodeDataset], local: EpisodeDataset):
    data = stored()
    data.batch([3])
    assert_same(pickle.loads(pickle.dumps(data)), local, [3, 100])  # noqa: S301 - just written


def test_a_server_without_ranges_is_told_of_where_they_are_needed(
    store: StoreServer, stored: Callable[..., EpisodeDataset], local: EpisodeDataset
):
    store.has_ranges = False
    assert_same(stored(), local, [3, 100])
    with pytest.raises(StorageError, match=r"the server gives no parts of files .* raise shard_cache_bytes"):
        stored(shard_cache_bytes=NO_ROOM, where="episode == 'nine'", cache_folder=store.root / "other").batch([0])


def test_addresses_that_are_none_and_a_library_that_is_missing_are_told(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TrainingError, match=r"ftp://host/dataset is no address of a store .* begins with s3://, gs://"):
        EpisodeDataset("ftp://host/dataset")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "obstore" else real(name))
    with pytest.raises(TrainingError, match=r"the package obstore, .* pip install 'bagmill\[remote\]'"):
        EpisodeDataset("s3://bucket/dataset")


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_an_older_table_does_not_say_is_fetched(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "dataset")
    for name, order in (("a", [0, 1]), ("b", [1, 0])):
        values = np.array([[1.0, 2.0]] * 5)[:, order]
        names = [("x", "y")[place] for place in order]
        publish_episode(
            dataset, PublishedEpisode(name=name, num_ticks=5, values={"state": values}, names={"state": names})
        )
    make_snapshot(dataset)
    (path,) = dataset.snapshots_dir.glob("*.parquet")
    table = pq.ParquetFile(path).read().replace_schema_metadata(None)
    texts = pa.array([json.dumps({"state": {"kind": "signal", "shape": [2], "dtype": "float64"}})] * 2)
    pq.write_table(table.set_column(table.column_names.index("features"), "features", texts), path)

    with serving(tmp_path) as server:
        data = EpisodeDataset(f"{server.url}/dataset", cache_folder=tmp_path / "cache", patience_s=20.0)
        assert data.spec["state"].names == ("x", "y")
        assert (data.batch(np.arange(10))["state"] == [1, 2]).all()
