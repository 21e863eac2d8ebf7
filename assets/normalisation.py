"""Asset `normalisation`: mean, deviation, range and quantiles of every feature of a snapshot, kept beside it."""

import itertools
from collections.abc import Iterator

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here
import numpy as np
from pydantic import Field

from assets.markdown import md_picture
from assets.metadata import Metadata, Record, shown
from bagmill.dataset import LATEST
from bagmill.errors import BagmillError
from bagmill.normalisation import (
    DEFAULT_FRAMES,
    QUANTILES,
    Normalisation,
    find_normalisation,
    measure_normalisation,
    save_normalisation,
)
from bagmill.previews import Ranges, ranges_plot
from resources.datasets import DatasetFolder

_MOST_ROWS_SHOWN = 500
_MOST_PANELS = 12


class NormalisationSettings(dg.Config):
    """What is measured."""

    snapshot: str = Field(default=LATEST, description="A snapshot's name or id.")
    split: str | None = Field(default=None, description="Only episodes of this split of a curated snapshot.")
    num_frames: int = Field(default=DEFAULT_FRAMES, ge=0, description="Frames that are sampled of each camera.")
    seed: int = Field(default=0, ge=0, description="Of the choice of frames.")


@dg.asset(
    deps=["snapshot"],
    group_name="dataset",
    kinds={"json"},
    description=(
        "Mean, deviation, range and quantiles of every feature, by which a training run scales it: exact for signals, over "
        "sampled frames for cameras. Kept beside the snapshot; what was measured in the same way before is not again."
    ),
)
def normalisation(
    context: dg.AssetExecutionContext, config: NormalisationSettings, dataset_folder: DatasetFolder
) -> dg.MaterializeResult[None]:
    """Measure a snapshot's values, and keep the result."""
    dataset = dataset_folder.dataset
    snapshot, split, num_frames, seed = config.snapshot, config.split, config.num_frames, config.seed
    try:
        measured = find_normalisation(dataset, snapshot, split=split, num_frames=num_frames, seed=seed)
        is_reused = measured is not None
        if measured is None:
            measured = measure_normalisation(dataset, snapshot, split=split, num_frames=num_frames, seed=seed)
            save_normalisation(dataset, measured)
    except BagmillError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err
    context.log.info(f"snapshot {measured.snapshot_id}: {'measured before' if is_reused else 'measured'}")
    for why in measured.left_out.values():
        context.log.warning(why)
    path = dataset.normalisation_path(measured.snapshot_id, split=measured.split)
    return dg.MaterializeResult(
        metadata=describe_normalisation(measured) | shown({"path": path, "is_reused": is_reused}),
        data_version=dg.DataVersion(f"{measured.snapshot_id}-{split}-{num_frames}-{seed}"),
    )


def describe_normalisation(measured: Normalisation) -> Metadata:
    """A plot of the ranges, a table with a row for every dimension of every feature, and what it was taken over."""
    rows = list(_rows(measured))
    return _ranges(measured) | shown(
        {
            "snapshot_id": measured.snapshot_id,
            "split": measured.split,
            "num_episodes": measured.num_episodes,
            "num_features": len(measured.features),
            "num_frames": measured.num_frames,
            "seed": measured.seed,
            "features": rows[:_MOST_ROWS_SHOWN],
            "left_out": [{"feature": name, "reason": why} for name, why in measured.left_out.items()],
            "notes": list(measured.notes),
        }
    )


def _ranges(measured: Normalisation) -> Metadata:
    subjects = {}
    for name, feature in itertools.islice(measured.features.items(), _MOST_PANELS):
        low, high = feature.quantiles[str(QUANTILES[0])], feature.quantiles[str(QUANTILES[-1])]
        parts = (feature.min, low, feature.mean, high, feature.max)
        subjects[f"{name}, {feature.unit}" if feature.unit else name] = Ranges(*map(np.array, parts))
    if not subjects:
        return {}
    alt = f"{QUANTILES[0]:.0%} to {QUANTILES[-1]:.0%} of the values (bars), all of them (lines), means (marks), by dimension"
    return {"ranges": dg.MetadataValue.md(f"{md_picture(ranges_plot(subjects), alt='ranges')}\n\n{alt}")}


def _rows(measured: Normalisation) -> Iterator[Record]:
    for name, feature in measured.features.items():
        for place, dimension in enumerate(feature.names):
            yield {
                "feature": name,
                "dimension": dimension,
                "unit": feature.unit_of(place),
                "count": feature.count[place],
                "mean": feature.mean[place],
                "std": feature.std[place],
                "min": feature.min[place],
                **{f"q{fraction}": of_dimensions[place] for fraction, of_dimensions in feature.quantiles.items()},
                "max": feature.max[place],
            }
