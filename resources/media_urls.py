"""Where the media server has what: the paths that it answers and that assets link to.

Apart from `resources.media`, because the media server has no need of Dagster.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

FILM: Final = "film.mp4"
CONTACT_SHEET: Final = "contact_sheet.jpg"
SMALL_SHEET: Final = "small_sheet.avif"
DEPTH: Final = "depth.jpg"
RATES: Final = "rates.png"
SKEW: Final = "skew.png"
REPORT: Final = "report.json"


QUARANTINE: Final = "/quarantine"
"""The page that lists all that was refused."""


def episode_path(episode: str) -> str:
    """The page of an episode, whatever became of it."""
    return f"/episodes/{quote(episode, safe='')}"


def page_path(episode: str, version: str) -> str:
    """The page of an episode version."""
    return f"/episodes/{quote(episode, safe='')}/{quote(version, safe='')}"


def file_path(episode: str, version: str, name: str) -> str:
    """A file of an episode version: one of the names above."""
    return f"/files/{quote(episode, safe='')}/{quote(version, safe='')}/{name}"
