"""Small recordings made into episodes, read back by stock zarr."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zarr

from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.testing.containers import write_mcap
from bagmill.testing.messages import SampleMessage

START_NS = 1_700_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a recording."""

    group: Any
    """The episode as stock zarr opens it; None where it was refused."""
    reason: str
    """Why it was refused; empty where it was not."""
    checks: dict[str, Any]
    """By name."""


@pytest.fixture
def make_episode(tmp_path: Path) -> Callable[..., Made]:
    def make(
        messages: Iterable[SampleMessage], features: dict[str, Any], *, rate_hz: Any = 20, **settings: Any
    ) -> Made:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        recording = write_mcap(folder / "run.mcap", messages)
        profile = {"name": "p", "rate_hz": rate_hz, "features": features, "preview": {"enabled": False}, **settings}
        request = IngestRequest(
            episode="run.mcap",
            recording=recording,
            dataset=folder / "data",
            profile=parse_profile(profile),
            num_threads=1,
        )
        outcome = ingest(request)
        found = sorted((folder / "data").glob("episodes/*/*.zarr"))
        return Made(
            group=zarr.open_group(found[0], mode="r") if found and outcome.refusal is None else None,
            reason="" if outcome.refusal is None else f"{outcome.refusal.reason} {outcome.refusal.remedy}",
            checks={check.name: check for check in outcome.report.checks},
        )

    return make
