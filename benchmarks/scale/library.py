"""The same episodes by the same workers, without Dagster around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bagmill.ingest import IngestOutcome, IngestRequest, split_finished
from bagmill.profile import load_profile
from resources.workers import LocalWorkers


def prepare(recordings: str, dataset: str, profile: str, episodes: Sequence[str]) -> Callable[[], dict[str, Any]]:
    """Look for what is not finished, and one call of `LocalWorkers.ingest_all` over it."""
    loaded = load_profile(profile)
    requests = [
        IngestRequest(episode=episode, recording=Path(recordings) / episode, dataset=Path(dataset), profile=loaded)
        for episode in episodes
    ]

    def run() -> dict[str, Any]:
        finished, others = split_finished(requests)
        for outcome in LocalWorkers().ingest_all(others):
            if not isinstance(outcome, IngestOutcome) or outcome.refusal is not None:
                raise RuntimeError(f"{outcome.episode} was not made")
        return {"num_finished": len(finished)}

    return run
