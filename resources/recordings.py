"""Where recordings land, and which episode each of them is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from bagmill.dataset import episode_name
from bagmill.errors import RecordingError, UnsettledRecordingError
from bagmill.ingest.fingerprint import Fingerprint, fingerprint
from bagmill.recordings import discover


@dataclass(frozen=True, slots=True)
class Landed:
    """A recording as it lies in the landing place, by a look that reads none of it."""

    episode: str
    """Of which it is the recording."""
    path_below: str
    """Its path below the landing place, with `/`: what the deployment's rules are matched against."""
    stamp: Fingerprint
    """Its files' names, sizes and modification times: as long as this stays the same, so does the recording."""

    @property
    def written_ns(self) -> int:
        """When it was last written to, ns since the Unix epoch; 0 for a folder without files."""
        return max((int(file[2]) for file in self.stamp), default=0)


class LandingPlace(dg.ConfigurableResource[None], ABC):
    """Where a deployment's recordings arrive; they are only read. A bucket, say, is another subclass."""

    @property
    @abstractmethod
    def place(self) -> str:
        """What people call it: a path or an address."""

    @abstractmethod
    def look(self) -> dict[str, Landed]:
        """Everything that is there now, by episode, in the order of the paths; no payload is read.

        Raises:
            RecordingError: It cannot be listed.
        """

    @abstractmethod
    def local_path(self, landed: Landed) -> Path:
        """Where a recording that was seen by `look` can be read on this machine.

        Raises:
            RecordingError: It cannot be brought here.
        """


class RecordingsFolder(LandingPlace):
    """A folder on this machine, with folders in it to any depth."""

    folder: str

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)

    @property
    def place(self) -> str:
        """The folder's path."""
        return self.folder

    def look(self) -> dict[str, Landed]:
        """As `LandingPlace.look`: a listing of every folder, and a `stat` of every file."""
        return {landed.episode: landed for landed in self._look()}

    def local_path(self, landed: Landed) -> Path:
        """Where it lies."""
        return self.path / landed.path_below

    def _look(self) -> Iterator[Landed]:
        folder = self.path
        for recording in discover(folder, tell=_warn):
            try:
                stamp = fingerprint(recording)
            except UnsettledRecordingError:
                continue  # it went this instant
            yield Landed(episode_name(folder, recording), recording.relative_to(folder).as_posix(), stamp)


def _warn(problem: RecordingError) -> None:
    """Say in the tick's or the run's log what could not be looked at, while the look goes on."""
    dg.get_dagster_logger("recordings").warning(f"passed over: {problem}")
