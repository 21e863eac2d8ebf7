"""All that a dataset holds of one episode: arrays, reports, pictures, quarantine entry, what spares the next scan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bagmill.dataset import Dataset, load_report, read_quarantine
from bagmill.dataset.json_records import check_seal
from bagmill.dataset.whole_file import read_file
from bagmill.disk import file_checksum, is_held
from bagmill.episodes import VerifyReport, verify_episode
from bagmill.errors import StorageError
from bagmill.health.finding import Finding, Kind
from bagmill.health.tables import is_sealed
from bagmill.streams import load_index

_MOST_TOLD = 3
_REPORT_REMEDY = "Repair makes it again where the recording is there"
_CACHE_REMEDY = "Repair removes it: the next run scans the recording again"


class EpisodeCheck:
    """One look at one episode; `run` fills the rest.

    Attributes:
        num_checked: Things of each kind that were read.
        num_without_checksum: Files among them from before files had one.
        findings: What is damaged.
    """

    def __init__(self, dataset: Dataset, episode: str) -> None:
        self.num_checked: dict[Kind, int] = {}
        self.num_without_checksum = 0
        self.findings: list[Finding] = []
        self._dataset = dataset
        self._episode = episode

    def run(self) -> None:
        """Read everything."""
        dataset, episode = self._dataset, self._episode
        published = dataset.published(episode)
        # In this order: who makes a version holds its folder until the report is there.
        is_in_making = is_held(dataset.episodes_dir / episode)
        reported = dataset.reported(episode)
        for version in published:
            self._check_arrays(version)
            if version not in reported and not is_in_making:
                path = dataset.report_path(episode, version)
                self._note("report", path, "is not there, though the episode is", _REPORT_REMEDY, version)
        for version in reported:
            self._check_report(version)
        entry = dataset.quarantine_path(episode)
        if entry.exists():
            self._count("quarantine entry", entry)
            try:
                read_quarantine(dataset, episode)
            except StorageError as err:
                # Not removed: an earlier version would come back into the snapshots that was refused since.
                self._note("quarantine entry", entry, err.problem, "Ingest the episode again, which writes it anew")
        for path, problem in self._damaged_caches():
            self._note("cache", path, problem, _CACHE_REMEDY)

    def _check_arrays(self, version: str) -> None:
        path = self._dataset.episode_path(self._episode, version)
        self._count("episode")
        found = verify_episode(path)
        self.num_without_checksum += not found.has_checksums
        damages = [*map(str, found.damages), *_other_names(found, self._episode, version)]
        if damages:
            told = "; ".join(damages[:_MOST_TOLD])
            more = f"; and {len(damages) - _MOST_TOLD:,} more" if len(damages) > _MOST_TOLD else ""
            remedy = "Repair makes it again where its recording is there"
            self._note("episode", path, f"{told}{more}", remedy, version)

    def _check_report(self, version: str) -> None:
        path = self._dataset.report_path(self._episode, version)
        self._count("report", path)
        try:
            report = load_report(self._dataset, self._episode, version=version)
        except StorageError as err:
            self._note("report", path, err.problem, _REPORT_REMEDY, version)
            return
        if report.stage("episode") is not None and version not in self._dataset.published(self._episode):
            arrays = self._dataset.episode_path(self._episode, version)
            problem = "is not there, though its report tells of it"
            self._note("episode", arrays, problem, "Ingest the episode again, or prune the dataset", version)
        for kind, checksum in report.pictures.items():
            self._check_picture(version, kind, checksum)

    def _check_picture(self, version: str, kind: str, checksum: str) -> None:
        path = self._dataset.picture_path(self._episode, version, kind)
        self._count("picture")
        try:
            problem = "" if file_checksum(path) == checksum else "its bytes do not match the checksum in its report"
        except FileNotFoundError:
            problem = "is not there"
        except OSError as err:
            problem = f"cannot be read ({err.strerror})"
        if problem:
            self._note("picture", path, problem, "Repair draws it again from the episode", version)

    def _damaged_caches(self) -> Iterator[tuple[Path, str]]:
        index, note = self._dataset.scan_path(self._episode), self._dataset.fingerprint_path(self._episode)
        if index.exists():
            self._count("cache")
            try:
                load_index(index)
            except StorageError as err:
                yield index, err.problem
        if note.exists():
            self._count("cache", note)
            try:
                data = read_file(note)
                check_seal(data)
                json.loads(data)
            except OSError as err:
                yield note, f"cannot be read ({err.strerror})"
            except (ValueError, RecursionError) as err:
                yield note, str(err)

    def _count(self, kind: Kind, sealed: Path | None = None) -> None:
        self.num_checked[kind] = self.num_checked.get(kind, 0) + 1
        if sealed is not None and not is_sealed(sealed):
            self.num_without_checksum += 1

    def _note(self, kind: Kind, path: Path, problem: str, remedy: str, version: str | None = None) -> None:
        self.findings.append(Finding(kind, path, problem, remedy, self._episode, version))


def _other_names(found: VerifyReport, episode: str, version: str) -> Iterator[str]:
    """Where an episode lies under another one's name: whole folders were swapped."""
    for what, said, expected in (("episode", found.episode, episode), ("version", found.version, version)):
        if said is not None and said != expected:
            yield f"it calls itself {what} {said}"
