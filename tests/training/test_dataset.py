"""Samples against a plain loop over the episodes as `Episode` reads them, through zarr."""

import multiprocessing
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.dataset import Dataset, curate, make_snapshot
from bagmill.episodes import Episode
from bagmill.errors import QueryError, StorageError, TrainingError
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset, Window

FEATURES = ("images/high", "images/wrist", "depth/high", "state", "action")
FACTS = (
    "valid/state",
    "skew/images/wrist",
    "source/images/wrist",
    "interpolated/action",
    "sequence/depth/high",
    "time",
)


FACTS_OF = {
    "valid": Episode.valid,
    "skew": Episode.skew_ns,
    "source": Episode.source_ns,
    "interpolated": Episode.interpolated,
    "sequence": Episode.sequence,
}


def values_of(episode: Episode, key: str, tick: int) -> np.ndarray:
    """A key's value at one tick, by the slow way."""
    fact, _, feature = key.partition("/")
    if fact in FACTS_OF:
        return FACTS_OF[fact](episode, feature)[tick]
    if fact in ("images", "depth"):
        return episode.frame(key, tick)
    return episode.time_ns[tick] if key == "time" else np.nan_to_num(episode.signal(key)[tick])


def feature_of(key: str) -> str:
    fact, _, feature = key.partition("/")
    return key if fact in ("images", "depth", "time") or not feature else feature


def plain_sample(
    data: EpisodeDataset, row: int, tick: int, windows: dict[str, list[int]], padding: str
) -> dict[str, np.ndarray]:
    episode = Episode(data.dataset.path / data.table["path"][row])
    sample: dict[str, np.ndarray] = {"episode": np.int64(row), "tick": np.int64(tick)}
    for key in (*FEATURES, *FACTS):
        offsets = windows.get(feature_of(key))
        rows, masks = [], []
        for offset in [0] if offsets is None else offsets:
            wanted = tick + offset
            is_inside = 0 <= wanted < episode.num_ticks
            nearest = min(max(wanted, 0), episode.num_ticks - 1)
            value = np.asarray(values_of(episode, key, nearest))
            rows.append(np.zeros_like(value) if padding == "zero" and not is_inside else value)
            if key in FEATURES:
                masks.append(is_inside and bool(episode.valid(key)[nearest]))
        sample[key] = rows[0] if offsets is None else np.stack(rows)
        if key in FEATURES:
            sample[f"mask/{key}"] = np.asarray(masks[0] if offsets is None else masks)
    return sample


def assert_equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key].dtype == np.asarray(value).dtype, key
        np.testing.assert_array_equal(found[key], value, err_msg=key)


OFFSETS = st.lists(st.integers(-12, 12), min_size=1, max_size=4)


@settings(max_examples=40)
@given(
    windows=st.dictionaries(st.sampled_from([*FEATURES, "time"]), OFFSETS, max_size=5),
    padding=st.sampled_from(["edge", "zero", "drop"]),
    num_threads=st.integers(1, 3),
    cache_bytes=st.sampled_from([0, 4096, 1 << 20]),
    frame_cache_bytes=st.sampled_from([0, 100_000, 1 << 24]),
    choice=st.lists(st.integers(0, 10**6), min_size=1, max_size=6),
)
def test_samples_are_those_of_a_plain_loop(
    dataset, windows, padding, num_threads, cache_bytes, frame_cache_bytes, choice
):
    data = EpisodeDataset(
        dataset,
        features=(*FEATURES, *FACTS),
        windows={name: Window(offsets) for name, offsets in windows.items()},
        padding=padding,
        num_threads=num_threads,
        cache_bytes=cache_bytes,
        frame_cache_bytes=frame_cache_bytes,
    )
    lengths = [Episode(dataset.path / path).num_ticks for path in data.table["path"]]
    everything = [(row, tick) for row, length in enumerate(lengths) for tick in range(length)]
    if padding == "drop":
        flat = [offset for offsets in windows.values() for offset in offsets]
        everything = [
            (row, tick) for row, tick in everything if all(0 <= tick + offset < lengths[row] for offset in flat)
        ]
    assert len(data) == len(everything)
    if not everything:
        return
    samples = [each % len(everything) for each in choice]
    # Twice: the second time from whatever is kept.
    for _ in range(2):
        batch = data.batch(samples)
        for n, sample in enumerate(samples):
            expected = plain_sample(data, *everything[sample], windows, padding)
            assert_equal({key: array[n] for key, array in batch.items()}, expected)
    assert_equal(data[samples[0]], plain_sample(data, *everything[samples[0]], windows, padding))


@settings(max_examples=30)
@given(
    windows=st.dictionaries(st.sampled_from(FEATURES), OFFSETS, max_size=3),
    padding=st.sampled_from(["edge", "zero", "drop"]),
    only_valid=st.one_of(st.just(True), st.lists(st.sampled_from(FEATURES), unique=True)),
)
def test_only_valid_samples_are_those_of_a_plain_loop(dataset, windows, padding, only_valid):
    data = EpisodeDataset(
        dataset,
        features=FEATURES,
        windows={name: Window(offsets) for name, offsets in windows.items()},
        padding=padding,
        only_valid=only_valid,
    )
    asked = FEATURES if only_valid is True else only_valid
    episodes = [Episode(dataset.path / path) for path in data.table["path"]]

    def is_sample(episode: Episode, tick: int) -> bool:
        for name in FEATURES:
            for offset in windows.get(name, [0]):
                wanted = tick + offset
                nearest = min(max(wanted, 0), episode.num_ticks - 1)
                if padding == "drop" and nearest != wanted:
                    return False
                if name in asked and not episode.valid(name)[nearest] and (padding == "edge" or nearest == wanted):
                    return False
        return True

    expected = [
        (row, tick)
        for row, episode in enumerate(episodes)
        for tick in range(episode.num_ticks)
        if is_sample(episode, tick)
    ]
    assert len(data) == len(expected)
    rows, ticks = data.locate(np.arange(len(data)))
    assert list(zip(rows.tolist(), ticks.tolist(), strict=True)) == expected
    again = EpisodeDataset.from_recipe(data.recipe())
    assert again.fingerprint == data.fingerprint
    if expected:
        batch = data.batch([0, -1])
        assert batch["tick"].tolist() == [expected[0][1], expected[-1][1]]
        for name in asked if padding == "drop" else ():
            assert batch[f"mask/{name}"].all()


def test_only_valid_with_windows_that_are_whole_leaves_nothing_to_the_mask(dataset):
    data = EpisodeDataset(dataset, history=3, horizon=4, padding="drop", only_valid=True)
    assert 0 < len(data) < len(EpisodeDataset(dataset, history=3, horizon=4, padding="drop"))
    batch = data.batch(np.arange(len(data)))
    assert all(batch[f"mask/{name}"].all() for name in data.features)
    states = EpisodeDataset(dataset, history=3, horizon=4, padding="drop", only_valid=["state"])
    masks = states.batch(np.arange(len(states)))
    assert masks["mask/state"].all()
    assert not masks["mask/action"].all()
    assert states.fingerprint != data.fingerprint


def test_every_sample_once(dataset):
    data = EpisodeDataset(dataset, features=["state"])
    assert len(data) == 200
    rows, ticks = data.locate(np.arange(200))
    assert sorted(zip(rows.tolist(), ticks.tolist(), strict=True)) == [
        (row, tick) for row, length in enumerate(data.table["num_ticks"]) for tick in range(length)
    ]


def test_history_is_of_observations_and_horizon_of_actions(dataset):
    data = EpisodeDataset(dataset, history=3, horizon=5)
    shapes = {key: spec.shape for key, spec in data.spec.items()}
    assert shapes["images/high"] == (3, 48, 64, 3)
    assert shapes["depth/high"] == (3, 48, 64)
    assert shapes["state"] == (3, 3)
    assert shapes["action"] == (5, 3)
    assert shapes["mask/action"] == (5,)
    assert shapes["tick"] == ()
    batch = data.batch([5, 6])
    assert {key: (array.shape[1:], array.dtype) for key, array in batch.items()} == {
        key: (spec.shape, spec.dtype) for key, spec in data.spec.items()
    }


def test_seconds_fit_every_rate(empty, make_episode):
    publish_episode(empty, make_episode("fast", 60, seed=1, rate_hz=Fraction(60)))
    publish_episode(empty, make_episode("slow", 20, seed=2, rate_hz=Fraction(10)))
    make_snapshot(empty)
    data = EpisodeDataset(empty, features=["action"], windows={"action": Window(seconds=(-0.2, 0.0, 0.1))})
    rates = data.table["rate_hz"].tolist()
    for row, steps in ((rates.index(60), (-12, 0, 6)), (rates.index(10), (-2, 0, 1))):
        episode = Episode(empty.path / data.table["path"][row])
        first = sum(data.table["num_ticks"][:row])
        expected = [np.nan_to_num(episode.signal("action")[15 + step]) for step in steps]
        np.testing.assert_array_equal(data[first + 15]["action"], expected)


def test_seconds_between_ticks_are_refused(dataset):
    with pytest.raises(
        TrainingError, match=r"the offset 0.05 s falls between the ticks of an episode of 30 Hz.*16.7 ms"
    ):
        EpisodeDataset(dataset, windows={"action": Window(seconds=(0.0, 0.05))})
    allowed = EpisodeDataset(dataset, windows={"action": Window(seconds=(0.0, 0.05), tolerance_s=0.02)})
    assert allowed.spec["action"].shape == (2, 3)


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("resampling", ["bilinear", "area"])
@pytest.mark.parametrize("size", [(24, 24), (18, 40), (48, 64), (60, 48)])
def test_a_smaller_picture_looks_like_the_frame(dataset, fit, resampling, size):
    options = {"features": ["images/high"], "padding": "edge"}
    small = EpisodeDataset(dataset, **options, image_size=size, fit=fit, resampling=resampling).batch(range(40, 60))
    whole = EpisodeDataset(dataset, **options).batch(range(40, 60))
    for found, frame in zip(small["images/high"], whole["images/high"], strict=True):
        expected = reference_fit(frame, size, fit)
        assert found.shape == (*size, 3)
        # The waves rise by at most 15 a pixel: half a pixel's shift, as by a rounded edge, is 5 on average; any other
        # crop or a swapped axis is 30 and more.
        assert np.abs(found.astype(int) - expected.astype(int)).mean() < 5.0


def reference_fit(frame: np.ndarray, size: tuple[int, int], fit: str) -> np.ndarray:
    """Pixel centres sampled one by one in the frame; bars are black."""
    height, width = frame.shape[:2]
    scale_y, scale_x = size[0] / height, size[1] / width
    if fit == "pad":
        scale_y = scale_x = min(scale_y, scale_x)
    elif fit == "crop":
        scale_y = scale_x = max(scale_y, scale_x)
    y = (np.arange(size[0]) + 0.5 - size[0] / 2) / scale_y + height / 2 - 0.5
    x = (np.arange(size[1]) + 0.5 - size[1] / 2) / scale_x + width / 2 - 0.5
    sampled = cv2.remap(
        frame,
        np.repeat(x[None], size[0], axis=0).astype(np.float32),
        np.repeat(y[:, None], size[1], axis=1).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    # A bar is what lies more than half a picture element outside.
    sampled[(y < -0.5 / scale_y) | (y > height - 1 + 0.5 / scale_y)] = 0
    sampled[:, (x < -0.5 / scale_x) | (x > width - 1 + 0.5 / scale_x)] = 0
    return sampled


def test_depth_of_another_size_has_no_new_numbers(dataset):
    data = EpisodeDataset(dataset, features=["depth/high"], image_size=(16, 16))
    whole = EpisodeDataset(dataset, features=["depth/high"])
    for sample in range(10, 50, 7):
        small = data[sample]["depth/high"]
        assert small.shape == (16, 16)
        assert np.isin(small, whole[sample]["depth/high"]).all()


def test_sizes_that_differ_need_one_size(empty, make_episode):
    publish_episode(empty, make_episode("a", 5, seed=1))
    frames = np.zeros((5, 30, 40, 3), np.uint8)
    publish_episode(empty, PublishedEpisode(name="b", num_ticks=5, values={"images/high": frames}))
    make_snapshot(empty)
    with pytest.raises(TrainingError, match=r"images/high is 30×40 and 48×64 pixels in different episodes.*image_size"):
        EpisodeDataset(empty)
    data = EpisodeDataset(empty, image_size=(20, 20))
    assert set(data.spec) == {"images/high", "mask/images/high", "episode", "tick"}
    assert data.batch(range(10))["images/high"].shape == (10, 20, 20, 3)


def test_dimensions_that_differ_are_for_a_mixture(empty):
    for name, num in (("a", 3), ("b", 4)):
        publish_episode(empty, PublishedEpisode(name=name, num_ticks=2, values={"state": np.zeros((2, num))}))
    make_snapshot(empty)
    with pytest.raises(TrainingError, match="state has 3 and 4 numbers in different episodes.*Mixture"):
        EpisodeDataset(empty)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": ["images/front"]}, "4 of 4 episodes have no feature images/front.*there are action, depth/high"),
        ({"features": ["skew/nothing"]}, "no feature skew/nothing"),
        ({"history": {"gripper": 2}}, "history names gripper"),
        ({"history": 0}, "a history of at least one tick, found 0"),
        ({"history": {"action": 2}, "horizon": 3}, "action has both a history and a horizon"),
        ({"windows": {"gripper": Window((0,))}}, "windows names gripper"),
        ({"image_size": {"state": (3, 3)}}, "image_size names state"),
        ({"image_size": (0, 5)}, "at least 1×1, found 0×5"),
        ({"image_size": (5, 5), "fit": "squeeze"}, "no way to fit a frame is called 'squeeze'"),
        ({"padding": "wrap"}, "no padding is called 'wrap'"),
        (
            {"only_valid": ["gripper"]},
            "only_valid names gripper, which is not among the features asked for. They are images",
        ),
        ({"only_valid": "state"}, r"only_valid is a list of names\. Write only_valid=\['state'\]"),
        ({"features": "state"}, r"features is a list of names\. Write features=\['state'\]"),
        ({"windows": {"state": Window((0,))}, "history": 1.5}, "`history` is 1.5 .*Give a whole number"),
        (
            {"where": "robot == 'wheel'"},
            "`robot == 'wheel'` is true of no episode of snapshot [0-9a-f]+: of 4 episodes, "
            r"`robot == 'wheel'` rules out 4 .robot is 'leg', 'arm'.*Ask for less",
        ),
        (
            {"where": "num_ticks > 20 and quality.skew < 1 and 'state' in features"},
            r"of 4 episodes, `num_ticks > 20` rules out 2 .num_ticks is 1 to 150., `quality.skew < 1` rules out 4 "
            r".quality.skew is [0-9.]+ to 8.9[0-9]*., `'state' in features` rules out 0; no episode meets all of them",
        ),
    ],
)
def test_what_does_not_fit_is_told(dataset, arguments, message):
    with pytest.raises(TrainingError, match=message):
        EpisodeDataset(dataset, **arguments)


def test_a_wrong_condition_is_told(dataset):
    with pytest.raises(QueryError, match="num_framez"):
        EpisodeDataset(dataset, where="num_framez > 3")
    with pytest.raises(QueryError, match="the condition is empty"):
        EpisodeDataset(dataset, where="")


def test_a_split_is_what_was_curated(empty, make_episode):
    for n in range(12):
        publish_episode(empty, make_episode(f"e{n}", 2, seed=n))
    make_snapshot(empty)
    curated = curate(empty, splits={"train": 0.5, "test": 0.5})
    parts = [EpisodeDataset(empty, snapshot=curated.id, split=name, features=["state"]) for name in ("train", "test")]
    assert sorted(name for part in parts for name in part.table["episode"]) == sorted(f"e{n}" for n in range(12))
    with pytest.raises(QueryError, match="has no split val. It has test, train"):
        EpisodeDataset(empty, snapshot=curated.id, split="val")
    with pytest.raises(QueryError, match="has no split train. Give it splits"):
        EpisodeDataset(empty, split="train")


def test_where_selects_by_quality(dataset):
    everything = EpisodeDataset(dataset)
    worst = everything.table["quality.skew"].median()
    calm = EpisodeDataset(dataset, where=f"quality.skew < {worst}")
    assert 0 < calm.num_episodes < everything.num_episodes
    assert (calm.table["quality.skew"] < worst).all()


def test_what_is_not_there_is_told(dataset):
    data = EpisodeDataset(dataset)
    for wrong in (200, -201):
        with pytest.raises(IndexError, match=f"no sample {wrong}: there are 200.*count from 0 to 199"):
            data[wrong]
        with pytest.raises(TrainingError, match=f"no sample {wrong}: there are 200"):
            data.batch([3, wrong])
        with pytest.raises(TrainingError, match=f"no sample {wrong}: there are 200"):
            data.locate(wrong)


def test_numbers_below_zero_count_from_the_end(dataset):
    data = EpisodeDataset(dataset)
    assert_equal(data[-1], data[199])
    assert_equal(data.batch([-1, 0, -200]), data.batch([199, 0, 0]))
    assert [each.tolist() for each in data.locate([-1])] == [each.tolist() for each in data.locate([199])]


def test_no_samples_are_a_batch_of_none(dataset):
    data = EpisodeDataset(dataset, history=2)
    for nothing in ([], np.zeros(0), range(0)):
        batch = data.batch(nothing)
        assert {key: (array.shape, array.dtype) for key, array in batch.items()} == {
            key: ((0, *spec.shape), spec.dtype) for key, spec in data.spec.items()
        }


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([1.0, 2.5], "whole numbers, found an array of float64"),
        (["3"], "whole numbers, found an array of str32"),
        ([[1, 2], [3]], "whole numbers, found lists of several lengths"),
        (np.arange(200) > 150, r"found an array of bool.*Of a mask, give np.flatnonzero\(mask\)"),
        (None, "whole numbers, found an array of object"),
    ],
)
def test_what_is_no_sample_is_told(dataset, samples, message):
    data = EpisodeDataset(dataset)
    for ask in (data.batch, data.locate):
        with pytest.raises(TrainingError, match=message):
            ask(samples)


@pytest.mark.parametrize("sample", [slice(0, 5), [1, 2], 1.5, "state", None])
def test_several_samples_between_brackets_are_told(dataset, sample):
    with pytest.raises(TrainingError, match=r"one sample is asked for by a whole number.*data\.batch\(\[4, 7\]\)"):
        EpisodeDataset(dataset)[sample]


def test_keys_are_looked_up_by_name(dataset):
    data = EpisodeDataset(dataset, features=["state", "images/high", "skew/state"])
    assert data.features == ("state", "images/high")
    assert "state" in data.features
    assert "state" in data
    assert "mask/images/high" in data
    assert "skew/state" in data
    assert "action" not in data
    assert 5 not in data


def test_a_window_is_said_one_way():
    for wrong in ({}, {"ticks": (1,), "seconds": (0.1,)}):
        with pytest.raises(TrainingError, match="in ticks or in seconds"):
            Window(**wrong)
    with pytest.raises(TrainingError, match=r"ticks are whole numbers, found 0\.5.*seconds="):
        Window((0, 0.5))
    assert Window.history(3) == Window((-2, -1, 0))
    assert Window.horizon(2) == Window((0, 1))


def test_rows_go_where_they_are_sent(dataset):
    data = EpisodeDataset(dataset, history=2)
    out = {key: np.full((6, *spec.shape), 7, spec.dtype) for key, spec in data.spec.items()}
    wide = np.full((6, 2, 5), 7.0, np.float32)
    out["state"] = wide
    assert data.batch([10, 20], out=out, rows=np.array([4, 1])).keys() == out.keys()
    expected = data.batch([10, 20])
    for key, array in expected.items():
        if key != "state":
            np.testing.assert_array_equal(out[key][[4, 1]], array)
            assert (out[key][[0, 2, 3, 5]] == np.asarray(7, array.dtype)).all()
    np.testing.assert_array_equal(wide[[4, 1], :, :3], expected["state"])
    assert (wide[..., 3:] == 7).all()


def test_a_recipe_makes_the_same_again(dataset, tmp_path):
    data = EpisodeDataset(
        dataset,
        where="num_ticks > 5",
        features=["images/high", "state", "skew/images/wrist"],
        windows={"state": Window(seconds=(-0.1, 0.0))},
        history={"images/high": 2},
        padding="zero",
        image_size=(24, 32),
        fit="pad",
    )
    again = EpisodeDataset.from_recipe(data.recipe())
    assert again.recipe() == data.recipe()
    assert_equal(again[30], data[30])
    moved = tmp_path / "moved"
    moved.symlink_to(dataset.path)
    assert_equal(EpisodeDataset.from_recipe(data.recipe(), dataset=moved)[30], data[30])


@pytest.mark.parametrize(
    "said",
    [
        {"where": 5},
        {"where": ["a"]},
        {"dataset": None},
        {"snapshot": 5},
        {"features": [5]},
        {"features": 5},
        {"only_valid": 5},
        {"windows": 5},
        {"windows": {"state": 5}},
        {"windows": {"state": {"ticks": "abc"}}},
        {"windows": {"state": {"ticks": [10**30]}}},
        {"windows": {"state": {"seconds": [1e308]}}},
        {"windows": {"state": {"ticks": [0], "tolerance_s": "x"}}},
        {"image_size": {"images/high": [1]}},
        {"image_size": {"images/high": [10**9, 10**9]}},
        {"image_size": None},
        {"resampling": {}},
        {"self": 1},
        {"cache_folder": "elsewhere"},
    ],
)
def test_what_is_no_recipe_is_told(dataset: Dataset, said: dict[str, object]):
    recipe = EpisodeDataset(dataset, features=["images/high", "state"]).recipe() | said
    with pytest.raises(TrainingError, match=f"is no recipe of a dataset: .*{next(iter(said))}"):
        EpisodeDataset.from_recipe(recipe)


def test_no_file_stays_open(dataset):
    data = EpisodeDataset(dataset, num_threads=2)
    data.batch(range(len(data)))
    open_files = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert open_files
    assert not [name for name in open_files if str(dataset.path) in name]
    assert str(dataset.path) not in Path("/proc/self/maps").read_text()


def _batch_of(data: EpisodeDataset, queue) -> None:
    queue.put({key: array.tobytes() for key, array in data.batch(range(0, 200, 9)).items()})


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_read_the_same(dataset, start):
    data = EpisodeDataset(dataset, history=2, num_threads=2, frame_cache_bytes=1 << 22)
    expected = {key: array.tobytes() for key, array in data.batch(range(0, 200, 9)).items()}
    context = multiprocessing.get_context(start)
    queue = context.Queue()
    worker = context.Process(target=_batch_of, args=(data, queue))
    worker.start()
    try:
        assert queue.get(timeout=60) == expected
    finally:
        worker.join(10)


def test_threads_read_the_same(dataset):
    data = EpisodeDataset(dataset, num_threads=2, cache_bytes=4096, frame_cache_bytes=1 << 18)
    expected = EpisodeDataset(dataset, num_threads=1).batch(range(200))
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda n: data.batch(range(n, 200, 8)), range(8)))
    for n, batch in enumerate(batches):
        assert_equal(batch, {key: array[n::8] for key, array in expected.items()})


@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_frame_that_several_samples_want_is_in_all_of_them(dataset, num_threads):
    data = EpisodeDataset(dataset, history=4, num_threads=num_threads, frame_cache_bytes=0)
    samples = [9, 8, 150, 9, 11, 0, 150, 10]
    expected = [data[sample] for sample in samples]
    assert_equal(data.batch(samples), {key: np.stack([each[key] for each in expected]) for key in data.spec})


def test_pickled_it_is_as_before(dataset):
    data = EpisodeDataset(dataset, num_threads=2)
    before = data[50]
    assert_equal(pickle.loads(pickle.dumps(data))[50], before)  # noqa: S301 - our own bytes


def test_many_at_once_are_views(dataset):
    data = EpisodeDataset(dataset)
    samples = data.__getitems__([3, 100])
    assert_equal(samples[1], data[100])
    assert samples[0]["images/high"].base is samples[1]["images/high"].base


class TestDamage:
    @pytest.fixture
    def damaged(self, empty, make_episode) -> Dataset:
        publish_episode(empty, make_episode("a", 30, seed=3))
        make_snapshot(empty)
        return empty

    def _only(self, dataset: Dataset, pattern: str):
        (file,) = dataset.path.glob(f"episodes/a/*.zarr/{pattern}")
        return file

    def _flip(self, file, place: int) -> None:
        data = bytearray(file.read_bytes())
        data[place] ^= 1
        file.write_bytes(data)

    def test_a_frame(self, damaged):
        data = EpisodeDataset(damaged, num_threads=2)
        self._flip(self._only(damaged, "images/high/c/0/0/0/0"), 100)
        with pytest.raises(StorageError, match="does not match its checksum.*Verify the episode"):
            data.batch(range(30))

    @pytest.mark.parametrize("num_threads", [1, 2, 5])
    def test_what_is_whole_is_read_after_an_error(self, damaged, num_threads):
        data = EpisodeDataset(damaged, num_threads=num_threads, frame_cache_bytes=0)
        expected = data.batch(range(30))
        self._flip(self._only(damaged, "images/high/c/0/0/0/0"), 100)
        for _ in range(3):
            with pytest.raises(StorageError, match="chunk 0 of the shard does not match its checksum"):
                data.batch(range(30))
            assert_equal(data.batch(range(1, 30)), {key: array[1:] for key, array in expected.items()})

    def test_an_index(self, damaged):
        self._flip(self._only(damaged, "images/high/c/0/0/0/0"), -20)
        with pytest.raises(StorageError, match="the shard's index does not match its checksum"):
            EpisodeDataset(damaged).batch(range(30))

    @pytest.mark.parametrize("place", [9, -1])
    def test_a_signal(self, damaged, place):
        self._flip(self._only(damaged, "state/c/0/0"), place)
        with pytest.raises(StorageError, match="array state cannot be read .its bytes do not match"):
            EpisodeDataset(damaged)[0]

    def test_a_short_file(self, damaged):
        file = self._only(damaged, "images/high/c/0/0/0/0")
        file.write_bytes(file.read_bytes()[:50])
        with pytest.raises(StorageError, match="breaks off"):
            EpisodeDataset(damaged)[0]

    def test_an_episode_that_was_removed(self, damaged):
        data = EpisodeDataset(damaged, features=["images/high"])
        shutil.rmtree(next(damaged.path.glob("episodes/a/*.zarr")))
        with pytest.raises(StorageError, match="array valid/images/high cannot be read .chunk 0 is missing"):
            data[0]

    @pytest.mark.parametrize("num_threads", [1, 2])
    @pytest.mark.parametrize("shard", ["images/high/c/0/0/0/0", "depth/high/c/0/0/0"])
    def test_a_shard_that_is_gone_is_not_zeros(self, damaged, shard, num_threads):
        self._only(damaged, shard).unlink()
        data = EpisodeDataset(damaged, num_threads=num_threads)
        name = shard.partition("/c/")[0]
        episode = Episode.open(next(damaged.path.glob("episodes/a/*.zarr")))
        tick = int(np.flatnonzero(episode.valid(name))[3])
        told = f"the frame of {name} at tick {tick} is missing, though the tick is valid. Verify the episode"
        with pytest.raises(StorageError, match=told):
            data[tick]
        for read in (episode.frame, episode.chunk_bytes):
            with pytest.raises(StorageError, match=told):
                read(name, tick)

    def test_a_shard_of_invalid_ticks_has_no_file_and_is_zeros(self, empty, make_episode):
        publish_episode(empty, make_episode("a", 30, seed=3, valid={"images/high": np.zeros(30, bool)}))
        make_snapshot(empty)
        assert not list(empty.path.glob("episodes/a/*.zarr/images/high/c/0"))
        batch = EpisodeDataset(empty).batch(range(30))
        assert not batch["images/high"].any()
        assert not batch["mask/images/high"].any()
