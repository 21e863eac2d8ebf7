"""Where people look at an episode: links to the media server (`pipelines.media`)."""

from __future__ import annotations

import dagster as dg

from resources.media_urls import QUARANTINE, episode_path, file_path, page_path


class MediaServer(dg.ConfigurableResource[None]):
    """The media server of a deployment, as browsers reach it; it need not run."""

    url: str

    def page_url(self, episode: str, version: str) -> str:
        """The page of an episode version, which plays its film."""
        return self.url.rstrip("/") + page_path(episode, version)

    def episode_url(self, episode: str) -> str:
        """The page of an episode, whatever became of it: of its latest version, or of why there is none."""
        return self.url.rstrip("/") + episode_path(episode)

    @property
    def quarantine_url(self) -> str:
        """The page that lists all that was refused."""
        return self.url.rstrip("/") + QUARANTINE

    def file_url(self, episode: str, version: str, name: str) -> str:
        """A file of an episode version, by a name of `resources.media_urls`."""
        return self.url.rstrip("/") + file_path(episode, version, name)
