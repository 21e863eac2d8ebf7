"""Where alerts go: a sink is told of one at a time, and says so where it could not be told."""

from __future__ import annotations

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

import dagster as dg

from bagmill.addresses import host_of, without_secrets
from bagmill.errors import BagmillError

AlertKind = Literal[
    "episodes_refused",
    "run_crashed",
    "checks_failed",
    "tick_failed",
    "daemon_gone",
    "robot_silent",
    "disk_nearly_full",
    "configuration_wrong",
    "watch_blind",
]

MOST_LISTED: Final = 20
"""Lines of one alert; the others are counted."""
_LONGEST_TEXT: Final = 300
_FIRST_PAUSE_S: Final = 1.0
_LOG: Final = logging.getLogger(__name__)


class AlertError(BagmillError):
    """An alert that could not be delivered."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """What an alert says of one episode."""

    episode: str
    stage: str
    reason: str
    remedy: str
    """Empty where nothing is known to help."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What is said of one run, or of the deployment; no longer than a chat shows, however many episodes a run had."""

    kind: AlertKind
    title: str
    """One sentence."""
    run_id: str
    """Empty where it is about no run; so is `job`."""
    job: str
    url: str
    """Of the page to look at."""
    num_episodes: int
    """How many it speaks of."""
    lines: tuple[AlertLine, ...]
    """Of the first of them."""

    @classmethod
    def of(
        cls, kind: AlertKind, title: str, *, url: str, run_id: str = "", job: str = "", lines: Sequence[AlertLine] = ()
    ) -> Alert:
        """An alert with as many lines as are listed, and none longer than it should be."""
        shown = (
            AlertLine(*(_shortened(text) for text in (line.episode, line.stage, line.reason, line.remedy)))
            for line in lines[:MOST_LISTED]
        )
        num_episodes = len({line.episode for line in lines})
        return cls(kind, _shortened(title), run_id, job, url, num_episodes=num_episodes, lines=tuple(shown))

    @property
    def text(self) -> str:
        """All of it, for people."""
        listed = [
            f"- {line.episode} ({line.stage}): {line.reason}" + (f" {line.remedy}." if line.remedy else "")
            for line in self.lines
        ]
        num_more = self.num_episodes - len({line.episode for line in self.lines})
        more = [f"- and {num_more} more"] if num_more else []
        return "\n".join([self.title, *listed, *more, self.url])


class AlertSink(ABC):
    """Takes alerts.

    Not of Dagster's configurable resources: their settings are shown in the web UI, and a webhook's address is a secret.
    """

    @abstractmethod
    def deliver(self, alert: Alert) -> None:
        """Deliver an alert.

        Raises:
            AlertError: It is not delivered, and has to be tried again later.
        """


@dataclass(frozen=True)
class LogSink(AlertSink):
    """Alerts go to the log of the process, which the web UI shows with the sensor's tick."""

    logger_name: str = "alerts"
    """Below Dagster's own."""

    def deliver(self, alert: Alert) -> None:
        """As `AlertSink.deliver`; never fails."""
        dg.get_dagster_logger(self.logger_name).warning(alert.text)


@dataclass(frozen=True)
class WebhookSink(AlertSink):
    """Alerts are posted to an address as JSON: the fields of `Alert`, and `text`, which is what most chats show."""

    url: str = field(repr=False)
    timeout_s: float = 10.0
    """Of one attempt."""
    attempts: int = 3

    def deliver(self, alert: Alert) -> None:
        """As `AlertSink.deliver`; the address has taken it when it answers with a status of 200 to 299."""
        body = json.dumps({"text": alert.text} | asdict(alert)).encode()
        problem = ""
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
            try:
                self._post(body)
            except (OSError, http.client.HTTPException, ValueError) as err:  # URLError and timeouts are OSError
                problem = self._sentence(err)
                _LOG.warning("attempt %d of %d to deliver an alert failed: %s", attempt + 1, self.attempts, problem)
            else:
                return
        # The address may hold a secret in its path: only the host is told.
        raise AlertError(
            f"an alert could not be delivered to {host_of(self.url)}: {problem}",
            remedy="look at `alerts.webhook` in the deployment's file, and whether that server is up",
        )

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - http and https only, as the deployment's file is checked
            self.url, data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        with _OPENER.open(request, timeout=self.timeout_s):
            pass  # a status of 200 to 299, else it raises; what else it says does not matter

    def _sentence(self, err: Exception) -> str:
        if isinstance(err, urllib.error.HTTPError):
            return f"it answered {err.code} {without_secrets(str(err.reason), self.url)}"
        if isinstance(err, http.client.InvalidURL | ValueError):
            # Which says all of it.
            return "its address is not valid"
        reason = getattr(err, "reason", None) or err
        return without_secrets(str(reason), self.url) or type(err).__name__


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET, of a login page, say, which answers 200 and has taken nothing."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
