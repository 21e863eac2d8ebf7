"""Statistics are those of a column's name, wherever it stands in a batch and in its mixture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bagmill.dataset import Dataset, make_snapshot
from bagmill.errors import TrainingError
from bagmill.normalisation import FeatureStatistics, Normalisation, measure_normalisation
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import ArraySpec, EpisodeDataset, Mixture, SignalScaling

MEAN = {"shoulder": 100.0, "elbow": -7.0, "gripper": 0.5, "wrist": 3.0}
WIDTH = {"shoulder": 5.0, "elbow": 0.1, "gripper": 20.0, "wrist": 1.0}


def make(folder: Path, *names: str, units: str | None = "rad", num: int = 200) -> tuple[EpisodeDataset, Normalisation]:
    dataset = Dataset(folder)
    rng = np.random.default_rng(len(names))
    values = np.stack([MEAN[name] + WIDTH[name] * rng.normal(size=num) for name in names], axis=1)
    said = {} if units is None else {"state": units}
    publish_episode(
        dataset,
        PublishedEpisode(name="e", num_ticks=num, values={"state": values}, names={"state": names}, units=said),
    )
    make_snapshot(dataset)
    return EpisodeDataset(dataset), measure_normalisation(dataset)


def scaled_means(scaling: SignalScaling, data: EpisodeDataset | Mixture, num: int) -> dict[str, float]:
    batch = data.batch(np.arange(num))
    scaling.apply(batch)
    return dict(zip(data.spec["state"].names, batch["state"].mean(axis=0).tolist(), strict=True))


def test_other_orders_and_more_columns_than_are_asked_for(tmp_path: Path) -> None:
    data, _ = make(tmp_path / "a", "shoulder", "elbow", "gripper")
    _, other = make(tmp_path / "b", "gripper", "wrist", "shoulder", "elbow")

    means = scaled_means(SignalScaling(data.spec, other), data, len(data))

    assert all(abs(mean) < 0.3 for mean in means.values()), "those of another sample of the same joints"


def test_each_source_is_scaled_by_its_own_names(tmp_path: Path) -> None:
    one, of_one = make(tmp_path / "a", "shoulder", "elbow")
    two, of_two = make(tmp_path / "b", "gripper", "elbow", "wrist")
    mixture = Mixture([(one, 1), (two, 1)])
    assert mixture.spec["state"].names == ("shoulder", "elbow", "gripper", "wrist")
    assert mixture.spec["state"].units == ("rad",) * 4

    scaling = SignalScaling(mixture.spec, [of_one, of_two])
    batch = mixture.batch(np.arange(2048))
    raw = batch["state"].copy()
    scaling.apply(batch)

    for source, has in ((0, [True, True, False, False]), (1, [False, True, True, True])):
        rows = batch["source"] == source
        assert (batch["dims/state"][rows] == has).all()
        assert np.abs(batch["state"][rows].mean(axis=0)).max() < 0.05
        assert batch["state"][rows].std(axis=0) == pytest.approx(np.array(has, float), abs=0.05)
    np.testing.assert_allclose(scaling.restore("state", batch["state"], source=batch["source"]), raw, atol=1e-9)


def test_statistics_in_the_order_of_other_sources_are_noticed(tmp_path: Path) -> None:
    one, of_one = make(tmp_path / "a", "shoulder", "elbow")
    two, of_two = make(tmp_path / "b", "gripper", "elbow", "wrist")
    mixture = Mixture([(one, 1), (two, 1)])

    swapped = SignalScaling(mixture.spec, [of_two, of_one])
    with pytest.raises(
        TrainingError, match="source . of the mixture has column . of state, which its statistics are not of"
    ):
        swapped.apply(mixture.batch(np.arange(64)))


def statistics(*names: str, named: bool = True, units: str | None = "rad") -> Normalisation:
    numbers = (0.0,) * len(names)
    of_state = FeatureStatistics(
        kind="signal", names=names, unit="", scale_m=None, num_ticks=1, count=(1,) * len(names),
        num_left_out=(0,) * len(names), mean=numbers, std=numbers, min=numbers, max=numbers,
        quantiles={"0.01": numbers, "0.99": numbers}, named=(named,) * len(names), units=(units,) * len(names),
    )  # fmt: skip
    return Normalisation("s", None, 1, 0, 0, {"state": of_state})


SPEC = {
    "state": ArraySpec((2,), np.dtype(np.float32), ("a", "b"), (True, True), ("rad", "rad")),
    "mask/state": ArraySpec((), np.dtype(np.bool_)),
}


def test_statistics_of_other_columns_or_units_are_refused() -> None:
    SignalScaling(SPEC, statistics("b", "c", "a"))
    for wrong, message in (
        (statistics("a", "c"), "statistics of state are of a, c, its values of a, b"),
        (
            statistics("a", "b", named=False),
            "statistics do not fit: state has columns a, b in the values and only places",
        ),
        (statistics("a", "b", units="deg"), "statistics do not fit: state has a in rad in the values and a in deg in"),
    ):
        with pytest.raises(TrainingError, match=message):
            SignalScaling(SPEC, wrong)
    places = {**SPEC, "state": replace(SPEC["state"], named=(False, False))}
    for num in (1, 3):
        with pytest.raises(TrainingError, match=f"statistics of state have {num} dimensions, its values 2"):
            SignalScaling(places, statistics(*"abc"[:num], named=False))
    SignalScaling(places, statistics("x", "y", named=False))


def test_mixed_units_and_scales_are_refused_and_windows_keep_their_columns(tmp_path: Path) -> None:
    one, _ = make(tmp_path / "a", "shoulder", "elbow")
    degrees, _ = make(tmp_path / "b", "elbow", "shoulder", units="deg")
    with pytest.raises(
        TrainingError,
        match="state has elbow in rad in source 0 of the mixture and elbow in deg in source 1 of the mixture",
    ):
        Mixture([(one, 1), (degrees, 1)])
    sources = []
    for number, scale_m in enumerate((0.001, 0.00025)):
        dataset = Dataset(tmp_path / f"depth{number}")
        values = {"depth/cam": np.ones((3, 4, 6), np.uint16)}
        publish_episode(dataset, PublishedEpisode(name="e", num_ticks=3, values=values, scale_m={"depth/cam": scale_m}))
        make_snapshot(dataset)
        sources.append((EpisodeDataset(dataset), 1))
    with pytest.raises(
        TrainingError, match="depth/cam has 0.001 m a count in source 0 .* 0.00025 m a count in source 1"
    ):
        Mixture(sources)
    assert Mixture(sources[1:]).spec["depth/cam"].scale_m == 0.00025

    orders = (("shoulder", "elbow"), ("elbow", "shoulder"))
    windowed = [
        EpisodeDataset(make(tmp_path / f"w{number}", *names)[0].dataset, history=3)
        for number, names in enumerate(orders)
    ]
    mixture = Mixture([(data, 1) for data in windowed])
    out = {key: np.full((80, *spec.shape), 1, spec.dtype) for key, spec in mixture.spec.items()}
    rows = np.arange(64)[::-1] + 5
    mixture.batch(np.arange(64), out=out, rows=rows)
    sources_, drawn = mixture.draw(np.arange(64))
    for row, source, sample in zip(rows, sources_, drawn, strict=True):
        own = windowed[source][sample]["state"]
        assert np.array_equal(out["state"][row], own if source == 0 else own[:, ::-1])
    assert (out["state"][[0, 4, 69, 79]] == 1).all()
