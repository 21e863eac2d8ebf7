from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bagmill.dataset import Dataset, make_snapshot
from bagmill.errors import TrainingError
from bagmill.normalisation import Normalisation, measure_normalisation
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset, Mixture, SignalScaling, Window


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[EpisodeDataset, Normalisation]]:
    """Two robots, of three and of two joints; the second's last one never moves."""
    rng = np.random.default_rng(8)
    found = []
    for number, num_dims in enumerate((3, 2)):
        dataset = Dataset(tmp_path_factory.mktemp("scaling") / str(number))
        state = rng.normal(size=(300, num_dims)) * [5.0, 0.1, 30.0][:num_dims] + [100.0, 0.0, -7.0][:num_dims]
        state[:, 1] = state[:, 1] if num_dims == 3 else 4.0
        values = {"state": state, "action": rng.normal(size=(300, 1)).astype(np.float32)}
        publish_episode(dataset, PublishedEpisode(name="only", num_ticks=300, values=values))
        make_snapshot(dataset)
        found.append((EpisodeDataset(dataset, history=2, horizon=2), measure_normalisation(dataset)))
    return found


def test_standard_scaling_gives_mean_0_and_deviation_1(two: list[tuple[EpisodeDataset, Normalisation]]):
    data, statistics = two[0]
    batch = data.batch(np.arange(300))
    raw = {key: array.copy() for key, array in batch.items()}
    scaling = SignalScaling(data.spec, statistics)
    scaling.apply(batch)
    now = batch["state"][:, 1]
    assert np.abs(now.mean(axis=0)).max() < 1e-9
    assert now.std(axis=0) == pytest.approx(np.ones(3))
    assert batch["action"].dtype == np.float32
    assert batch["action"][:, 0].std() == pytest.approx(1, rel=1e-5)
    assert np.allclose(scaling.restore("state", batch["state"]), raw["state"])
    for key in ("mask/state", "tick", "episode"):
        assert np.array_equal(batch[key], raw[key])


def test_range_scaling_puts_the_outer_quantiles_at_1(two: list[tuple[EpisodeDataset, Normalisation]]):
    data, statistics = two[0]
    batch = data.batch(np.arange(300))
    SignalScaling(data.spec, statistics, method="range").apply(batch)
    quantiles = np.quantile(batch["state"][:, 1], [0.01, 0.99], axis=0)
    assert quantiles == pytest.approx(np.array([[-1.0] * 3, [1.0] * 3]), abs=1e-9)


def test_each_source_of_a_mixture_has_its_own_statistics(two: list[tuple[EpisodeDataset, Normalisation]]):
    mixture = Mixture([(data, 1) for data, _ in two])
    scaling = SignalScaling(mixture.spec, [statistics for _, statistics in two])
    batch = mixture.batch(np.arange(4096))
    raw = batch["state"].copy()
    scaling.apply(batch)
    for source in range(2):
        now = batch["state"][batch["source"] == source][:, 1]
        assert np.abs(now[:, 0].mean()) < 0.02
        assert now[:, 0].std() == pytest.approx(1, rel=0.02)
    second = batch["state"][batch["source"] == 1]
    assert not second[..., 1].any(), "a joint that never moves is moved to 0"
    assert not second[..., 2].any(), "a joint that the robot does not have stays 0"
    assert np.allclose(scaling.restore("state", batch["state"], source=batch["source"]), raw)
    alone = scaling.restore("state", batch["state"][:1], source=batch["source"][0])
    assert np.allclose(alone, raw[:1])


def test_what_has_no_statistics_stays_as_it_is(two: list[tuple[EpisodeDataset, Normalisation]]):
    data, statistics = two[0]
    without = SignalScaling({key: spec for key, spec in data.spec.items() if key != "state"}, statistics)
    batch = data.batch([5])
    before = batch["state"].copy()
    without.apply(batch)
    assert np.array_equal(batch["state"], before)
    with pytest.raises(TrainingError, match=r"state is not scaled\. Scaled are action"):
        without.restore("state", before)


def test_statistics_of_another_robot_are_refused(two: list[tuple[EpisodeDataset, Normalisation]]):
    with pytest.raises(TrainingError, match="statistics of state have 3 dimensions, its values 2"):
        SignalScaling(two[1][0].spec, two[0][1])
    with pytest.raises(TrainingError, match="no scaling is called 'minmax'"):
        SignalScaling(two[0][0].spec, two[0][1], method="minmax")


FAR = np.array([50.0, -20.0, 7.0])
"""Where the signals of the next tests lie: a zero that was scaled would be dozens of deviations away."""


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, np.ndarray, np.ndarray]:
    """40 ticks of `state`, of which every seventh was not measured; its values, and which are valid. The first tick is one
    of zeros that were measured.
    """
    dataset = Dataset(tmp_path_factory.mktemp("gappy") / "dataset")
    rng = np.random.default_rng(2)
    state = (rng.normal(size=(40, 3)) + FAR).astype(np.float32)
    state[0] = 0
    is_valid = np.arange(40) % 7 != 3
    action = rng.normal(size=(40, 2)) + 1e6
    values = {"state": state, "action": action}
    publish_episode(dataset, PublishedEpisode(name="only", num_ticks=40, values=values, valid={"state": is_valid}))
    make_snapshot(dataset)
    return dataset, state, is_valid


def expected_states(
    state: np.ndarray, is_valid: np.ndarray, offsets: list[int], statistics: Normalisation, *, method: str, padding: str
) -> np.ndarray:
    """Tick by tick, as the documentation says it."""
    of_state = statistics.features["state"]
    if method == "standard":
        centre, half = np.array(of_state.mean), np.array(of_state.std)
    else:
        low, high = np.array(of_state.quantiles["0.01"]), np.array(of_state.quantiles["0.99"])
        centre, half = (low + high) / 2, (high - low) / 2
    found = np.zeros((len(state), len(offsets), 3), np.float32)
    for tick in range(len(state)):
        for place, offset in enumerate(offsets):
            wanted = tick + offset
            nearest = min(max(wanted, 0), len(state) - 1)
            if is_valid[nearest] and (wanted == nearest or padding == "edge"):
                found[tick, place] = (state[nearest].astype(np.float64) - centre) / half
    return found


@pytest.mark.parametrize("padding", ["edge", "zero", "drop"])
@pytest.mark.parametrize("method", ["standard", "range"])
def test_what_is_not_real_is_zero_after_scaling(
    gappy: tuple[Dataset, np.ndarray, np.ndarray], method: str, padding: str
):
    dataset, state, is_valid = gappy
    statistics = measure_normalisation(dataset)
    windows = {"state": Window((-2, 0, 1))}
    data = EpisodeDataset(dataset, features=["state", "action"], windows=windows, padding=padding)
    scaling = SignalScaling(data.spec, statistics, method=method)
    is_filled = {"state": np.zeros((len(data), 3), np.bool_), "action": np.zeros(len(data), np.bool_)}
    batch = data.batch(np.arange(len(data)), is_filled=is_filled)
    scaling.apply(batch, is_filled=is_filled)
    expected = expected_states(state, is_valid, [-2, 0, 1], statistics, method=method, padding=padding)
    assert np.allclose(batch["state"], expected[batch["tick"]], atol=1e-5)
    assert np.abs(batch["state"]).max() < 10
    assert batch["state"].dtype == np.float32
    assert not batch["state"][is_filled["state"]].any()
    assert is_filled["state"].any()
    assert not is_filled["action"].any()

    alone = data.batch(np.arange(len(data)))
    scaling.apply(alone)
    is_same = np.all(alone["state"] == batch["state"], axis=-1)
    # A first tick of measured zeros cannot be told from a filled one where it is repeated: said in `apply`.
    is_repeated_zero = (alone["tick"][:, None] + [-2, 0, 1] < 0) & (padding == "edge")
    assert np.array_equal(~is_same, is_repeated_zero)


def test_doubles_are_scaled_in_doubles_and_rounded_once(gappy: tuple[Dataset, np.ndarray, np.ndarray]):
    dataset, state, is_valid = gappy
    statistics = measure_normalisation(dataset)
    data = EpisodeDataset(dataset)
    batch = data.batch(np.arange(40))
    raw = batch["action"].copy()
    SignalScaling(data.spec, statistics).apply(batch)
    of_action = statistics.features["action"]
    assert batch["action"].dtype == np.float64
    assert np.allclose(batch["action"], (raw - of_action.mean) / of_action.std, atol=1e-9)
    of_state = statistics.features["state"]
    exact = ((state.astype(np.float64) - of_state.mean) * (1 / np.array(of_state.std))).astype(np.float32)
    assert np.array_equal(batch["state"][is_valid], exact[is_valid])


def test_what_a_source_of_a_mixture_lacks_is_zero_after_scaling(
    gappy: tuple[Dataset, np.ndarray, np.ndarray], two: list[tuple[EpisodeDataset, Normalisation]]
):
    """Its statistics may hold features that were not asked for."""
    dataset, _, _ = gappy
    only_actions = EpisodeDataset(dataset, features=["action"], horizon=2)
    mixture = Mixture([(only_actions, 1), (two[1][0], 1)])
    of_first = measure_normalisation(dataset)
    statistics = [replace(of_first, features={**two[1][1].features, "action": of_first.features["action"]}), two[1][1]]
    is_filled = {key: np.zeros((200, *mixture.spec[f"mask/{key}"].shape), np.bool_) for key in ("state", "action")}
    for of_loader in ({}, {"is_filled": is_filled}):
        batch = mixture.batch(np.arange(200), **of_loader)
        scaling = SignalScaling(mixture.spec, statistics)
        scaling.apply(batch, **of_loader)
        first = batch["source"] == 0
        assert not batch["state"][first].any()
        assert batch["state"][~first].any()
        assert not batch["action"][~first][..., 1].any(), "a dimension that the second robot does not have"


def test_statistics_of_too_few_sources_are_refused(two: list[tuple[EpisodeDataset, Normalisation]]):
    mixture = Mixture([(data, 1) for data, _ in two])
    scaling = SignalScaling(mixture.spec, two[0][1])
    with pytest.raises(
        TrainingError, match=r"is of source 1, and there are statistics of 1\. Give the statistics of every"
    ):
        scaling.apply(mixture.batch(np.arange(10)))


def test_zeros_stay_zeros_where_a_sources_columns_stand_in_another_order(tmp_path: Path):
    """The mixture's columns are those of the first source; the second has them the other way round."""
    rng = np.random.default_rng(5)
    is_valid = np.arange(60) % 5 != 2
    sources, raw = [], []
    for number, names in enumerate((("a", "b"), ("b", "a"))):
        dataset = Dataset(tmp_path / str(number))
        state = rng.normal(size=(60, 2)) * [1.0, 9.0] + [40.0, -70.0]
        episode = PublishedEpisode(
            name="only", num_ticks=60, values={"state": state}, valid={"state": is_valid}, names={"state": names}
        )
        publish_episode(dataset, episode)
        make_snapshot(dataset)
        sources.append(EpisodeDataset(dataset, history=3, padding="zero"))
        raw.append(state if names[0] == "a" else state[:, ::-1])
    mixture = Mixture([(source, 1) for source in sources])
    scaling = SignalScaling(mixture.spec, [measure_normalisation(source.dataset) for source in sources])
    is_filled = {"state": np.zeros((200, 3), np.bool_)}
    batch = mixture.batch(np.arange(200), is_filled=is_filled)
    scaling.apply(batch, is_filled=is_filled)
    for number, state in enumerate(raw):
        here = batch["source"] == number
        centre, spread = state[is_valid].mean(axis=0), state[is_valid].std(axis=0)
        wanted = batch["tick"][here][:, None] + [-2, -1, 0]
        is_real = (wanted >= 0) & is_valid[np.maximum(wanted, 0)]
        expected = np.where(is_real[..., None], (state[np.maximum(wanted, 0)] - centre) / spread, 0)
        assert np.allclose(batch["state"][here], expected, atol=1e-9)
        assert np.array_equal(is_filled["state"][here], ~is_real)
