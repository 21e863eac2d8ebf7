"""Asset `episode`: the published Zarr episode."""

from __future__ import annotations

from typing import Final

import dagster as dg

EPISODE: Final = dg.AssetSpec(
    "episode",
    deps=["timeline"],
    description=(
        "The Zarr episode: images, depth, signals, source stamps and validity per tick. Immutable, and named by what "
        "it was made from: the same recording and profile give the same version."
    ),
    group_name="dataset",
    kinds={"zarr"},
    skippable=True,
)
