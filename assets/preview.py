"""Asset `preview`: what a person looks at."""

from __future__ import annotations

from typing import Final

import dagster as dg

PREVIEW: Final = dg.AssetSpec(
    "preview",
    deps=["episode"],
    description="A small film of every tick, made from the stored frames and compared with them: what a training run will see.",
    group_name="dataset",
    kinds={"av1"},
    skippable=True,
)
