"""Pictures that gave no frame: every command that speaks of them says how many, and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bagmill.testing import START_NS, SampleMessage, picture, write_mcap
from bagmill.testing.messages import image_values


def test_sizes_counts_and_reasons_are_told(command: Callable[..., Any], tmp_path: Path) -> None:
    small = np.full((24, 32, 3), 90, np.uint8)
    pictures = [small if n == 3 else picture("cam_high", n) for n in range(30)]
    stamps = [START_NS + n * 50_000_000 for n in range(30)]
    recording = write_mcap(
        tmp_path / "mixed.mcap",
        [
            SampleMessage(
                "/cam", "sensor_msgs/msg/CompressedImage", image_values(rgb, encoding="jpeg"), ns, header_ns=ns
            )
            for rgb, ns in zip(pictures, stamps, strict=True)
        ],
    )
    profile = tmp_path / "p.yaml"
    profile.write_text("{name: p, rate_hz: 20, features: {images/cam: {channel: /cam}}, preview: {enabled: false}}")

    scanned = command("scan", recording)
    ingested = command("ingest", recording, "-p", profile, "-o", tmp_path / "out")
    shown = command("show", tmp_path / "out/episodes/mixed.mcap")

    [channel] = command("scan", recording, "--json").document["recordings"][0]["channels"]
    assert channel["mixed"] == "29 of 30 pictures are 64×48 jpeg, 1 is 32×24 jpeg"
    assert "29 of 30" in " ".join(scanned.out.split())
    told = "1 message of /cam: expected a picture of 64×48, found 32×24 jpeg (29 of 30 pictures are 64×48 jpeg"
    assert f"mixed.mcap, images/cam: {told}" in ingested.out
    assert f"images/cam: {told}" in shown.out
