"""The web application: its routes, and how it answers what is not there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bagmill.cli.wording import counted, duration_text, number_text, size_text, stamp_text
from bagmill.dataset import Dataset
from bagmill.deployment import MediaSettings
from bagmill.errors import StorageError
from pipelines.media.episodes import find_episode, find_version, list_episodes
from pipelines.media.files import find_file, media_type
from pipelines.media.refused import list_refused
from pipelines.web.guard import Guard
from pipelines.web.names import Names
from resources.media_urls import QUARANTINE, REPORT, episode_path, file_path, page_path

_TEMPLATES: Final = Path(__file__).parent / "templates"
_SAFETY: Final = {
    # Pages have no scripts; whatever text of a recording got into one could do nothing.
    "content-security-policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_FOR_EVER: Final = "private, max-age=31536000, immutable"
"""The same version is the same bytes; in the browser of whoever may look, and nowhere on the way."""
_ASK_AGAIN: Final = "private, no-cache"
"""Reports also say when a version was last asked for."""


class MediaApp:
    """Answers from one dataset.

    Args:
        dataset: It need not exist yet.
        settings: Where browsers find this server, and Dagster's.
    """

    def __init__(self, dataset: Dataset, settings: MediaSettings) -> None:
        self._dataset: Final = dataset
        base = urlsplit(settings.url).path.rstrip("/")
        self._templates: Final = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "bytes": size_text,
            "duration": duration_text,
            "stamp": stamp_text,
            "number": number_text,
        }
        self._templates.globals |= {
            "counted": counted,
            "base": base,
            "page_url": lambda episode, version: base + page_path(episode, version),
            "episode_url": lambda episode: base + episode_path(episode),
            "file_url": lambda episode, version, name: base + file_path(episode, version, name),
            "dagster_url": lambda asset, episode: (
                f"{settings.dagster_url}/assets/{asset}?view=partitions&partition={quote(episode, safe='')}"
            ),
        }
        self._base: Final = base

    def starlette(self) -> Starlette:
        """The application as web servers take it."""
        # Everything here waits for a disk, so nothing is a coroutine: each request has a thread.
        return Starlette(
            routes=[
                Route("/", self._list),
                Route(QUARANTINE, self._quarantine),
                Route("/episodes/{episode}", self._episode),
                Route("/episodes/{episode}/{version}", self._version),
                Route("/files/{episode}/{version}/{name}", self._file),
            ],
            exception_handlers={HTTPException: self._not_there, StorageError: self._unreadable},
        )

    def _list(self, request: Request) -> Response:
        found = list_episodes(self._dataset, page=_page_number(request), find=request.query_params.get("find", ""))
        return self._page("episodes.html", list=found)

    def _quarantine(self, request: Request) -> Response:
        found = list_refused(self._dataset, page=_page_number(request), find=request.query_params.get("find", ""))
        return self._page("quarantine.html", list=found)

    def _episode(self, request: Request) -> Response:
        episode = request.path_params["episode"]
        found = find_episode(self._dataset, episode)
        if found is None:
            raise HTTPException(404, f"No episode is called {episode}.")
        if found.version is None:
            return self._page("episode.html", page=found)
        return RedirectResponse(
            self._base + page_path(episode, found.version), headers={"cache-control": _ASK_AGAIN, **_SAFETY}
        )

    def _version(self, request: Request) -> Response:
        episode, version = request.path_params["episode"], request.path_params["version"]
        found = find_version(self._dataset, episode, version)
        if found is None:
            raise HTTPException(404, f"There is no version {version} of an episode {episode}.")
        return self._page("episode.html", page=found)

    def _file(self, request: Request) -> Response:
        episode, version, name = (request.path_params[part] for part in ("episode", "version", "name"))
        path = find_file(self._dataset, episode, version, name)
        if path is None:
            raise HTTPException(404, f"There is no {name} of version {version} of an episode {episode}.")
        try:
            stat = path.stat()
        except OSError:  # pruned this instant
            raise HTTPException(404, f"There is no {name} of version {version} of {episode} any more.") from None
        caching = _ASK_AGAIN if name == REPORT else _FOR_EVER
        response = FileResponse(
            path, media_type=media_type(name), stat_result=stat, headers={"cache-control": caching, **_SAFETY}
        )
        if request.headers.get("if-none-match") == response.headers["etag"]:
            return Response(
                status_code=304, headers={"etag": response.headers["etag"], "cache-control": caching, **_SAFETY}
            )
        return response

    def _not_there(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        sentences = {404: "There is no such page.", 405: "This server only shows: it takes nothing in."}
        # The router's own say `Not Found`, and no more.
        is_ours = error.detail.endswith(".")
        sentence = error.detail if is_ours else sentences.get(error.status_code, f"{error.detail}.")
        return self._page("message.html", status=error.status_code, sentence=sentence)

    def _unreadable(self, _: Request, error: Exception) -> Response:
        return self._page("message.html", status=500, sentence=str(error))

    def _page(self, template: str, *, status: int = 200, **values: object) -> Response:
        return HTMLResponse(
            self._templates.get_template(template).render(values),
            status_code=status,
            headers={"cache-control": _ASK_AGAIN, **_SAFETY},
        )


def _page_number(request: Request) -> int:
    page = request.query_params.get("page", "1")
    # Longer numbers than any list has pages are taken for none.
    return int(page) if page.isascii() and page.isdecimal() and len(page) < 10 else 1


def build_app(dataset: Dataset, settings: MediaSettings, *, hosts: Iterable[str] = ()) -> ASGIApp:
    """The media server over a dataset, behind what keeps it out of others' pages.

    Args:
        dataset: It need not exist yet.
        settings: Where browsers find this server, and Dagster's, and where it listens.
        hosts: More names that browsers find it by.
    """
    names = Names.of(hosts, listens_at=settings.host, urls=(settings.url, settings.dagster_url))
    return Guard(MediaApp(dataset, settings).starlette(), names)
