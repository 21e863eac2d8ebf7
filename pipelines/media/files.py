"""Which files of a dataset may be seen, and nothing else: never what a name or a symbolic link leads out of it to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from bagmill.dataset import Dataset
from bagmill.errors import StorageError
from resources.media_urls import CONTACT_SHEET, DEPTH, FILM, RATES, REPORT, SKEW, SMALL_SHEET

_PLACES: Final[dict[str, tuple[Callable[[Dataset, str, str], Path], str]]] = {
    FILM: (Dataset.preview_path, "video/mp4"),
    CONTACT_SHEET: (Dataset.contact_sheet_path, "image/jpeg"),
    SMALL_SHEET: (Dataset.small_sheet_path, "image/avif"),
    DEPTH: (Dataset.depth_picture_path, "image/jpeg"),
    RATES: (Dataset.rates_plot_path, "image/png"),
    SKEW: (Dataset.skew_plot_path, "image/png"),
    REPORT: (Dataset.report_path, "application/json"),
}


def media_type(name: str) -> str:
    """What browsers call a file of this name."""
    return _PLACES[name][1]


def find_file(dataset: Dataset, episode: str, version: str, name: str) -> Path | None:
    """A file of an episode version.

    Args:
        dataset: Whose.
        episode: Any text: it comes from a browser.
        version: Likewise.
        name: Likewise; those of `resources.media_urls` are known.

    Returns:
        The file itself, without a symbolic link on the way; None where there is none that may be seen.
    """
    if name not in _PLACES:
        return None
    try:
        return inside(dataset, _PLACES[name][0](dataset, episode, version))
    except StorageError:  # the episode's or the version's is no name
        return None


def find_names(dataset: Dataset, episode: str, version: str) -> frozenset[str]:
    """The names of the files that there are of an episode version."""
    return frozenset(name for name in _PLACES if find_file(dataset, episode, version, name) is not None)


def inside(dataset: Dataset, path: Path) -> Path | None:
    """A regular file that truly lies in the dataset's folder; None where it does not, or is not there."""
    try:
        real = path.resolve(strict=True)
        return real if real.is_relative_to(dataset.path.resolve()) and real.is_file() else None
    except (OSError, ValueError, RuntimeError):  # not there, not readable, too long, a circle of links
        return None
