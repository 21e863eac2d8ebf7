"""The same episodes by the same workers, without Dagster around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bagmill.ingest import IngestOutcome, IngestRequest
from bagmill.profile import load_profile
from resources.workers import LocalWorkers


def prepare(recordings: str, dataset: str, profile: str, episodes: Sequence[str]) -> Callable[[], dict[str, Any]]:
    """One call of `LocalWorkers.ingest_all` over all episodes."""
    loaded = load_profile(profile)
    requests = [
        IngestRequest(episode=episode, recording=Path(recordings) / episode, dataset=Path(dataset), profile=loaded)
        for episode in episodes
    ]

    def run() -> dict[str, Any]:
        num_reused = 0
        for outcome in LocalWorkers().ingest_all(requests):
            if not isinstance(outcome, IngestOutcome) or outcome.refusal is not None:
                raise RuntimeError(f"{outcome.episode} was not made")
            num_reused += outcome.is_reused
        return {"num_episodes": len(requests), "num_reused": num_reused}

    return run
