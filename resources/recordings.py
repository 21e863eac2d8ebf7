"""Where recordings are found, and which episode each of them is."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from bagmill.dataset import episode_name
from bagmill.recordings import discover


class RecordingsFolder(dg.ConfigurableResource[None]):
    """The recordings of a deployment; they are only read."""

    folder: str

    @property
    def path(self) -> Path:
        """The recordings folder."""
        return Path(self.folder)

    def by_episode(self) -> dict[str, Path]:
        """Episode → recording, in the order of their paths.

        Raises:
            RecordingError: The folder cannot be listed.
        """
        return {episode_name(self.path, recording): recording for recording in discover(self.path)}

    def path_below(self, recording: Path) -> str:
        """A recording's path below the folder, with `/`: what rules for profiles are matched against."""
        return recording.relative_to(self.path).as_posix()
