"""The events of one ingested episode, to be told again as another's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._record import copy
from dagster._serdes import deserialize_value, serialize_value

from benchmarks.scale.deployment import TINY, ManyEpisodes

_Entries = Sequence[dg.EventLogEntry]


@dataclass(frozen=True, slots=True)
class EpisodeEvents:
    """What a run tells of one episode."""

    materialisations: _Entries
    evaluations: _Entries

    @classmethod
    def of_a_run(cls, folder: Path) -> EpisodeEvents:
        """Ingest one tiny episode through Dagster, and take what its run told.

        Args:
            folder: Empty.
        """
        many = ManyEpisodes(folder, TINY)
        many.backfill(many.add("one", 1))
        with many.instance() as instance:
            run_id = instance.get_runs(limit=1)[0].run_id
            return cls(
                instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION),
                instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION),
            )

    def to_json(self) -> str:
        """As text, for another process."""
        return json.dumps(
            [[serialize_value(each) for each in some] for some in (self.materialisations, self.evaluations)]
        )

    @classmethod
    def from_json(cls, text: str) -> EpisodeEvents:
        """What `to_json` gave."""
        return cls(*([deserialize_value(each, dg.EventLogEntry) for each in some] for some in json.loads(text)))

    def of(self, episode: str, *, run_id: str) -> EpisodeEvents:
        """The same of another episode, in another run."""
        materialisations = []
        for entry in self.materialisations:
            data = entry.get_dagster_event().step_materialization_data
            of_episode = data._replace(materialization=data.materialization._replace(partition=episode))
            event = entry.get_dagster_event()._replace(event_specific_data=of_episode)
            materialisations.append(entry._replace(run_id=run_id, dagster_event=event))
        evaluations = []
        for entry in self.evaluations:
            evaluation = copy(entry.get_dagster_event().asset_check_evaluation_data, partition=episode)
            event = entry.get_dagster_event()._replace(event_specific_data=evaluation)
            evaluations.append(entry._replace(run_id=run_id, dagster_event=event))
        return EpisodeEvents(materialisations, evaluations)

    def tell(self, log: SqlEventLogStorage) -> None:
        """As `assets.telling` does it, an episode at a time."""
        _store(log, self.materialisations)
        log.get_asset_event_summary_records(
            dg.DagsterEventType.ASSET_MATERIALIZATION,
            run_id=self.materialisations[0].run_id,
            limit=len(self.materialisations),
        )
        _store(log, self.evaluations)


def _store(log: SqlEventLogStorage, entries: _Entries) -> None:
    if getattr(log, "stores_batches", False):
        log.store_event_batch(entries)
        return
    for entry in entries:
        log.store_event(entry)
