import numpy as np
import pytest

from bagmill.dataset import Dataset, make_snapshot
from bagmill.errors import TrainingError
from bagmill.normalisation import Normalisation, measure_normalisation
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset, Mixture, SignalScaling


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
