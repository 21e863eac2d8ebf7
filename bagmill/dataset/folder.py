"""Where everything in a dataset lies."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bagmill.episodes.layout import episode_path, episodes_folder, is_episode
from bagmill.errors import StorageError
from bagmill.local_paths import local_path

_MOST_NAME_BYTES: Final = 200
"""What suffixes and temporary names put behind it still fits into the 255 bytes of a file's name."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset's folder; it need not exist yet: whoever writes makes the folders needed.

    Raises:
        AddressError: It is an address in a store.
        StorageError: It is no path, or one that no folder can have.
    """

    path: Path

    def __post_init__(self) -> None:
        path = local_path(self.path)
        try:
            can_be = b"\0" not in os.fsencode(path)
        except UnicodeEncodeError:
            can_be = False
        if not can_be:
            raise StorageError(f"{ascii(str(path))[:80]} is a path that no file can have")
        object.__setattr__(self, "path", path)

    @property
    def episodes_dir(self) -> Path:
        """One folder an episode."""
        return episodes_folder(self.path)

    @property
    def snapshots_dir(self) -> Path:
        """Snapshots' tables and names."""
        return self.path / "snapshots"

    def normalisation_path(self, snapshot_id: str, *, split: str | None = None) -> Path:
        """Statistics of a snapshot's features, over all of its episodes or over those of one split."""
        of_split = "" if split is None else f".{_name(split)}"
        return self.snapshots_dir / f"{_name(snapshot_id)}{of_split}.normalisation.json"

    @property
    def reports_dir(self) -> Path:
        """One folder an episode."""
        return self.path / "reports"

    @property
    def quarantine_dir(self) -> Path:
        """One file an episode that was refused."""
        return self.path / "quarantine"

    @property
    def nights_dir(self) -> Path:
        """One file a night: its figures."""
        return self.path / "nights"

    @property
    def previews_dir(self) -> Path:
        """One folder an episode: films and pictures."""
        return self.path / "previews"

    @property
    def scans_dir(self) -> Path:
        """Two files an episode: what spares the next scan of its recording."""
        return self.path / "scans"

    @property
    def recordings_dir(self) -> Path:
        """One file a recording: which episode it counts as."""
        return self.path / "recordings"

    @property
    def pruned_dir(self) -> Path:
        """What a prune has moved aside and is about to delete."""
        return self.path / ".pruned"

    def episode_path(self, episode: str, version: str) -> Path:
        """The Zarr group of one version."""
        return episode_path(self.path, episode, version)

    def preview_path(self, episode: str, version: str) -> Path:
        """The AV1 preview."""
        return self.previews_dir / _name(episode) / f"{_name(version)}.mp4"

    def contact_sheet_path(self, episode: str, version: str) -> Path:
        """The contact sheet, JPEG."""
        return self.previews_dir / _name(episode) / f"{_name(version)}.jpg"

    def small_sheet_path(self, episode: str, version: str) -> Path:
        """The contact sheet as events hold it, AVIF."""
        return self.previews_dir / _name(episode) / f"{_name(version)}.small.avif"

    def depth_picture_path(self, episode: str, version: str) -> Path:
        """Depth in colours, JPEG; only where there is depth."""
        return self.previews_dir / _name(episode) / f"{_name(version)}.depth.jpg"

    def rates_plot_path(self, episode: str, version: str) -> Path:
        """The plot of rates over time, PNG."""
        return self.previews_dir / _name(episode) / f"{_name(version)}.rates.png"

    def skew_plot_path(self, episode: str, version: str) -> Path:
        """The plot of skew over time, PNG."""
        return self.previews_dir / _name(episode) / f"{_name(version)}.skew.png"

    def picture_path(self, episode: str, version: str, kind: str) -> Path:
        """Any of the files above, by what follows the version in its name: `mp4`, `rates.png`."""
        return self.previews_dir / _name(episode) / f"{_name(version)}.{_name(kind)}"

    def report_path(self, episode: str, version: str) -> Path:
        """What `save_report` writes."""
        return self.reports_dir / _name(episode) / f"{_name(version)}.json"

    def quarantine_path(self, episode: str) -> Path:
        """What `put_quarantine` writes."""
        return self.quarantine_dir / f"{_name(episode)}.json"

    def scan_path(self, episode: str) -> Path:
        """The index that the last scan of the episode's recording left."""
        return self.scans_dir / f"{_name(episode)}.npz"

    def fingerprint_path(self, episode: str) -> Path:
        """What the recording's files looked like when they were last read."""
        return self.scans_dir / f"{_name(episode)}.fingerprint.json"

    def known_recording_path(self, content_hash: str) -> Path:
        """Which episode a recording of this content counts as."""
        return self.recordings_dir / f"{_name(content_hash.replace(':', '-'))}.json"

    def episodes(self) -> list[str]:
        """Names of all episodes with a folder, sorted; one of which nothing is published may be among them.

        Raises:
            StorageError: The folder cannot be listed.
        """
        return _folders_in(self.episodes_dir)

    def published(self, episode: str) -> list[str]:
        """The versions of an episode whose root metadata stands, which is written last, sorted.

        Raises:
            StorageError: The folder cannot be listed.
        """
        return [path.stem for path in _listed(self.episodes_dir / _name(episode)) if is_episode(path)]

    def reported(self, episode: str) -> list[str]:
        """The versions of an episode that have a report, sorted.

        Raises:
            StorageError: The folder cannot be listed.
        """
        return [path.stem for path in _listed(self.reports_dir / _name(episode)) if path.suffix == ".json"]

    def reported_episodes(self) -> list[str]:
        """Names of all episodes with a folder of reports, sorted.

        Raises:
            StorageError: The folder cannot be listed.
        """
        return _folders_in(self.reports_dir)

    def quarantined(self) -> list[str]:
        """Names of all episodes in quarantine, sorted.

        Raises:
            StorageError: The folder cannot be listed.
        """
        return [path.stem for path in _listed(self.quarantine_dir) if path.suffix == ".json"]


def names_ending(folder: Path, suffix: str) -> list[str]:
    """The names in a folder that end so, less that ending, sorted; `glob` would leave out what it may not list.

    Raises:
        StorageError: The folder cannot be listed.
    """
    return [path.name.removesuffix(suffix) for path in _listed(folder) if path.name.endswith(suffix)]


def _listed(folder: Path) -> list[Path]:
    """What is in a folder, sorted, less what is being written; nothing where there is no folder."""
    return sorted(folder / entry.name for entry in _entries(folder))


def _folders_in(folder: Path) -> list[str]:
    """The names of the folders in one, sorted; of ten thousands, without a look at each of them."""
    return sorted(entry.name for entry in _entries(folder) if entry.is_dir())


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as err:
        raise StorageError(
            f"cannot be listed ({err.strerror})", path=folder, remedy="Name a dataset's folder that may be read"
        ) from err


def is_name(part: str) -> bool:
    """Whether a text can be the name of an episode or a version: of a file here, with suffixes behind it."""
    if not part or part.startswith(".") or not part.isprintable() or "/" in part or "\\" in part:
        return False
    try:
        return len(part.encode()) <= _MOST_NAME_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _name(part: str) -> str:
    if not is_name(part):
        raise StorageError(
            f"{part!r} is no name of an episode or version", remedy="Name episodes as `episode_name` does"
        )
    return part
