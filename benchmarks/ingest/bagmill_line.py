"""bagmill: scan, timeline, encode, publish, read back, judge, draw; everything but the film."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import bagmill.encode.frames as frame_encoders
from bagmill.codecs import decode_jpeg
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.recordings.records import Buffer
from bagmill.testing import healthy, small_profile


def prepare(
    recording: str,
    folder: str,
    profile: Mapping[str, Any],
    num_threads: int,
    jpegs: Literal["checked", "unchecked", "decoded"] = "checked",
) -> Callable[[], dict[str, Any]]:
    """`bagmill.ingest.ingest` into a dataset that is not there yet, in a process that has made an episode before.

    A batch's workers live for many episodes, so what Python loads at the first of them is none of an episode's cost.

    Args:
        recording: What is ingested.
        folder: Where the dataset goes.
        profile: As `parse_profile` takes it.
        num_threads: Of the process.
        jpegs: What is done with a JPEG before it is copied: its structure is `checked`, as bagmill does it, or nothing is
            (`unchecked`), or all of it is `decoded`.
    """
    if jpegs != "checked":
        setattr(frame_encoders, "whole_jpeg", _as_it_is if jpegs == "unchecked" else _if_decoded)  # noqa: B010 - a name it imports
    request = IngestRequest(
        episode="episode",
        recording=Path(recording),
        dataset=Path(folder) / "dataset",
        profile=parse_profile(dict(profile)),
        num_threads=num_threads,
    )
    warm_up = Path(folder) / "warm-up"
    warm_up.mkdir()
    small = replace(
        request,
        recording=healthy(warm_up / "small.mcap"),
        dataset=warm_up / "dataset",
        profile=parse_profile({**small_profile(), "preview": {"enabled": False}}),
    )
    if ingest(small).refusal is not None:
        raise RuntimeError("the tiny recording before the one that is measured was refused")

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


def _as_it_is(data: Buffer) -> Buffer:
    return data


def _if_decoded(data: Buffer) -> Buffer:
    decode_jpeg(data)
    return data
