"""Asset `recording`: what a scan of the recording found."""

from __future__ import annotations

from typing import Final

import dagster as dg

RECORDING: Final = dg.AssetSpec(
    "recording",
    description=(
        "The source, read once from first byte to last: what it holds, whether it is whole, how fast every channel "
        "ran. The file itself is never changed."
    ),
    group_name="dataset",
    kinds={"mcap", "rosbag"},
    skippable=True,
)
