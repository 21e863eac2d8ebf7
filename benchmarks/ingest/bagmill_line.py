"""bagmill: scan, timeline, encode, publish, read back, judge, draw; everything but the film."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import parse_profile


def prepare(recording: str, folder: str, profile: Mapping[str, Any], num_threads: int) -> Callable[[], dict[str, Any]]:
    """`bagmill.ingest.ingest` into a dataset that is not there yet."""
    request = IngestRequest(
        episode="episode",
        recording=Path(recording),
        dataset=Path(folder) / "dataset",
        profile=parse_profile(dict(profile)),
        num_threads=num_threads,
    )

    def run() -> dict[str, Any]:
        outcome = ingest(request)
        if outcome.refusal is not None:
            raise RuntimeError(f"refused: {outcome.refusal.reason}")
        episode = outcome.report.stage("episode")
        assert episode is not None, "not refused"
        return {
            "num_frames": outcome.report.num_frames,
            "stored_bytes": outcome.report.stored_bytes,
            "path": str(episode.metadata["path"]),
            "stage_seconds": {stage.stage: stage.num_seconds for stage in outcome.report.stages},
        }

    return run
