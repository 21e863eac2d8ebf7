"""Mixtures of datasets whose signals, cameras and lengths differ."""

import json
import pickle
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from bagmill.dataset import Dataset, make_snapshot
from bagmill.errors import TrainingError
from bagmill.testing.content import picture
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset, Mixture


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A robot of five joints and one camera, seen as large as `high` of the first one; its states are doubles."""
    made = Dataset(tmp_path_factory.mktemp("mixture") / "other")
    for number, num_ticks in enumerate((12, 20)):
        publish_episode(
            made,
            PublishedEpisode(
                name=f"other{number}",
                num_ticks=num_ticks,
                values={
                    "images/high": np.stack([picture("cam_high", 90 + n) for n in range(num_ticks)]),
                    "state": np.arange(num_ticks * 5, dtype=np.float64).reshape(-1, 5) + 100,
                    "action": np.arange(num_ticks * 2, dtype=np.float64).reshape(-1, 2) - 50,
                },
            ),
        )
    make_snapshot(made)
    return made


@pytest.fixture(scope="module")
def mixture(dataset: Dataset, other: Dataset) -> Mixture:
    choices = {"history": 2, "horizon": 3}
    return Mixture([(EpisodeDataset(dataset, **choices), 0.75), (EpisodeDataset(other, **choices), 0.25)], seed=3)


def padded(array: np.ndarray, width: int) -> np.ndarray:
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, width - array.shape[-1])])


def test_a_sample_is_its_sources_sample_laid_into_what_fits_all(mixture: Mixture):
    samples = np.arange(60)
    batch = mixture.batch(samples)
    sources, drawn = mixture.draw(samples)
    assert set(sources.tolist()) == {0, 1}
    assert batch.keys() == mixture.spec.keys()
    for row, (number, sample) in enumerate(zip(sources.tolist(), drawn.tolist(), strict=True)):
        own = mixture.sources[number][sample]
        assert batch["source"][row] == number
        for key, spec in mixture.spec.items():
            found = batch[key][row]
            assert found.shape == spec.shape
            assert found.dtype == spec.dtype
            if key == "source":
                continue
            if key.startswith("dims/"):
                feature = key.removeprefix("dims/")
                width = own[feature].shape[-1] if feature in own else 0
                assert found.tolist() == [n < width for n in range(spec.shape[0])]
            elif key not in own:
                assert not found.any(), f"{key}, which source {number} lacks"
            elif own[key].shape != spec.shape:
                assert np.array_equal(found, padded(own[key], spec.shape[-1]))
            else:
                assert np.array_equal(found, own[key])


def test_what_sources_hold_together_is_known_beforehand(mixture: Mixture):
    first, second = (source.spec for source in mixture.sources)
    assert mixture.spec["state"].shape == (2, 5)
    assert mixture.spec["state"].dtype == np.float64
    assert mixture.spec["action"].shape == (3, first["action"].shape[-1])
    assert mixture.spec["images/wrist"] == first["images/wrist"]
    assert mixture.spec["mask/images/wrist"].shape == (2,)
    assert "images/wrist" not in second
    assert {key for key in mixture.spec if key.startswith("dims/")} == {"dims/state", "dims/action"}
    batch = mixture.batch(np.arange(40))
    of_second = batch["source"] == 1
    assert not batch["mask/images/wrist"][of_second].any()
    assert batch["mask/images/high"][of_second].any()


def test_arrays_that_are_used_again_keep_nothing_of_what_was_in_them(mixture: Mixture):
    samples = np.arange(16)
    fresh = mixture.batch(samples)
    used = {key: np.full((20, *spec.shape), 1, spec.dtype) for key, spec in mixture.spec.items()}
    rows = np.arange(16)[::-1] + 2
    given = mixture.batch(samples, out=used, rows=rows)
    for key, array in fresh.items():
        assert given[key] is used[key]
        assert np.array_equal(used[key][rows], array)
        assert (used[key][[0, 1, 18, 19]] == 1).all(), "rows that were not asked for"


def test_any_sample_is_found_by_itself(mixture: Mixture):
    far = np.array([10**9 + 5, 3, 10**9 + 5, 77_777])
    batch = mixture.batch(far)
    for row, sample in enumerate(far.tolist()):
        for key, array in mixture[sample].items():
            assert np.array_equal(array, batch[key][row])
    for key, array in mixture.__getitems__([3, 77_777])[1].items():
        assert np.array_equal(array, batch[key][3])
    again = pickle.loads(pickle.dumps(mixture))  # noqa: S301 - our own bytes
    assert np.array_equal(again.batch(far)["state"], batch["state"])


def test_proportions_are_exact_and_every_source_is_gone_through_evenly(mixture: Mixture):
    num_draws = 20 * 1024
    sources, drawn = mixture.draw(np.arange(num_draws))
    assert np.bincount(sources).tolist() == [num_draws * 3 // 4, num_draws // 4]
    for number, source in enumerate(mixture.sources):
        counts = Counter(drawn[sources == number].tolist())
        num_passes = (sources == number).sum() // len(source)
        assert set(counts) == set(range(len(source)))
        assert set(counts.values()) <= {num_passes, num_passes + 1}, "no sample twice before each was there once"
    # A pass is no copy of the one before it. A block's draws of a source belong to neighbouring passes, hence the distance.
    passes = drawn[sources == 1][: len(mixture.sources[1]) * 100].reshape(100, -1)
    assert len({tuple(each) for each in passes.tolist()}) == 100


def test_seeds_give_other_draws_and_the_same_seed_the_same(mixture: Mixture):
    entries = list(zip(mixture.sources, (0.75, 0.25), strict=True))
    assert np.array_equal(Mixture(entries, seed=3).draw(np.arange(500)), mixture.draw(np.arange(500)))
    assert not np.array_equal(Mixture(entries, seed=4).draw(np.arange(500)), mixture.draw(np.arange(500)))


def test_statistics_say_what_each_source_gives(mixture: Mixture):
    first, second = mixture.statistics(2048)
    assert (first.share, second.share) == (0.75, 0.25)
    assert (first.num_episodes, second.num_episodes) == (4, 2)
    assert (first.num_samples, second.num_samples) == (200, 32)
    assert (first.num_drawn, second.num_drawn) == (1536, 512)
    assert second.num_passes == 16.0
    hours = mixture.sources[0].table["duration_s"].sum() / 3600
    assert first.hours == pytest.approx(hours)
    assert sum(each.num_drawn for each in mixture.statistics()) == len(mixture) == 232
    assert len(Mixture([(mixture.sources[0], 1)], num_samples=7)) == 7


def test_a_recipe_makes_the_same_mixture_again(mixture: Mixture):
    recipe = json.loads(json.dumps(mixture.recipe()))
    again = Mixture.from_recipe(recipe)
    assert again.recipe() == mixture.recipe()
    assert np.array_equal(again.draw(np.arange(100)), mixture.draw(np.arange(100)))
    with pytest.raises(
        TrainingError, match=r"is no recipe of a mixture: it has no mixture.*EpisodeDataset.from_recipe"
    ):
        Mixture.from_recipe(mixture.sources[0].recipe() | {"seed": 1, "num_samples": 2})
    with pytest.raises(TrainingError, match=r"is no recipe of a dataset: .*Mixture.from_recipe"):
        EpisodeDataset.from_recipe(recipe)
    folders = [source.dataset.path for source in mixture.sources]
    with pytest.raises(TrainingError, match="there are 1 datasets, and 2 sources"):
        Mixture.from_recipe(recipe, datasets=folders[:1])
    assert Mixture.from_recipe(recipe, datasets=folders).spec == mixture.spec


@pytest.mark.parametrize(
    "said", [{"mixture": None}, {"mixture": [5]}, {"mixture": [{}]}, {"seed": "x"}, {"num_samples": 2**70}]
)
def test_what_is_no_recipe_of_a_mixture_is_told(mixture: Mixture, said: dict[str, object]):
    with pytest.raises(TrainingError, match="is no recipe of a mixture"):
        Mixture.from_recipe(mixture.recipe() | said)


def test_pictures_of_two_sizes_are_refused_until_one_is_asked_for(dataset: Dataset, other: Dataset):
    small = EpisodeDataset(other, features=["images/high", "state"], image_size=(24, 32))
    large = EpisodeDataset(dataset, features=["images/high", "state"])
    with pytest.raises(TrainingError, match=r"images/high is \(48, 64, 3\) .* \(24, 32, 3\) .*the same image_size"):
        Mixture([(large, 1), (small, 1)])
    both = [EpisodeDataset(each, features=["images/high"], image_size=(24, 32)) for each in (dataset, other)]
    assert Mixture([(each, 1) for each in both]).spec["images/high"].shape == (24, 32, 3)


@pytest.mark.parametrize("feature", ["images/high", "state"])
def test_windows_of_two_lengths_are_refused(dataset: Dataset, other: Dataset, feature: str):
    sources = [EpisodeDataset(each, features=[feature], history=n) for n, each in enumerate((dataset, other), start=2)]
    with pytest.raises(TrainingError, match=rf"{feature} is .* in another\. Give all of them the same windows"):
        Mixture([(each, 1) for each in sources])


def test_sources_without_samples_and_numbers_that_are_none_are_refused(mixture: Mixture, dataset: Dataset):
    nothing = EpisodeDataset(dataset, where="num_ticks < 5", horizon=8, padding="drop")
    with pytest.raises(TrainingError, match="source 1 of the mixture has no sample"):
        Mixture([(mixture.sources[0], 1), (nothing, 1)])
    with pytest.raises(TrainingError, match="an epoch of at least one sample"):
        Mixture([(mixture.sources[0], 1)], num_samples=0)
    for ask in (mixture.batch, mixture.draw, mixture.prefetch, lambda samples: mixture[samples[0]]):
        with pytest.raises(TrainingError, match=r"no sample -1: .*a mixture has no last one\. .*mixture.sources\[n\]"):
            ask([-1])
    with pytest.raises(TrainingError, match=r"one sample is asked for by a whole number, found slice"):
        mixture[0:3]
    with pytest.raises(TrainingError, match=r"Of a mask, give np.flatnonzero"):
        mixture.batch(np.ones(4, np.bool_))
    with pytest.raises(TrainingError, match=r"a mixture's source is an EpisodeDataset or a Mixture, found list"):
        Mixture([([1, 2, 3], 1)])


def test_a_mixture_is_gone_through_once_and_keys_are_looked_up_by_name(mixture: Mixture):
    short = Mixture([(mixture.sources[1], 1)], num_samples=5)
    assert [int(sample["tick"]) for sample in short] == short.batch(range(5))["tick"].tolist()
    assert "images/wrist" in mixture
    assert "images/wrist" in mixture.features
    assert "images/wrist" not in short
    assert "images/nothing" not in mixture
    assert {key: array.shape[0] for key, array in mixture.batch([]).items()} == dict.fromkeys(mixture.spec, 0)


def test_a_mixture_of_mixtures_is_one_of_all_their_sources(dataset: Dataset, other: Dataset):
    first, second = (EpisodeDataset(each, features=["state"]) for each in (dataset, other))
    third = EpisodeDataset(dataset, features=["state"], where="robot == 'leg'")
    inner = Mixture([(second, 3), (third, 1)], seed=9, num_samples=2)
    nested = Mixture([(first, 0.6), (inner, "0.4")], seed=1)
    flat = Mixture([(first, 0.6), (second, "0.3"), (third, "0.1")], seed=1)
    assert nested.shares == flat.shares == (Fraction(3, 5), Fraction(3, 10), Fraction(1, 10))
    assert nested.recipe() == flat.recipe()
    samples = np.arange(300)
    for key, array in flat.batch(samples).items():
        assert np.array_equal(nested.batch(samples)[key], array)
    assert len(nested) == len(first) + len(second) + len(third)
