"""Concerns → alerts: one when something begins, one a day while it goes on, none twice for the same."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bagmill.dataset.whole_file import write_whole
from bagmill.errors import StorageError
from pipelines.watch.concern import Concern, Look
from resources.alerts import Alert, AlertError, AlertSink

AGAIN_AFTER_S: Final = 24 * 3600.0
_LOG: Final = logging.getLogger("bagmill.watch")


@dataclass(frozen=True, slots=True)
class _Told:
    """That somebody was told of a concern."""

    at_s: float
    """When, in seconds since the Unix epoch."""
    look: str
    """What it was seen by."""


class Watch:
    """Looks again and again, and remembers what was told.

    Args:
        looks: What is looked at, by name.
        sink: Is told.
        dagster_url: What links begin with.
        memory: A file that keeps what was told over restarts.
        before: The watch whose place this one takes in the same process: it knows what was told, also where the file cannot
            be written.
    """

    def __init__(
        self,
        looks: Sequence[tuple[str, Look]],
        *,
        sink: AlertSink,
        dagster_url: str,
        memory: Path,
        before: Watch | None = None,
    ) -> None:
        self._looks = looks
        self._sink = sink
        self._dagster_url = dagster_url
        self._memory = memory
        self.told: dict[str, _Told] = _read(memory) if before is None else before.told
        """By concern; changed by `look` only."""

    def look(self) -> list[Alert]:
        """Look at everything once, and tell what is news; what cannot be delivered is news at the next look, too.

        What was told of something that cannot be looked at now is taken to be so still: it is no news afterwards.

        Returns:
            What was delivered.
        """
        now_s = time.time()
        concerns: dict[str, tuple[str, Concern]] = {}
        blind: set[str] = set()
        for name, look in self._looks:
            for each in self._concerns_of(name, look, blind):
                concerns[f"{each.kind}: {each.subject}"] = name, each
        told = {key: each for key, each in self.told.items() if key in concerns or each.look in blind}
        delivered: list[Alert] = []
        for key, (name, concern) in concerns.items():
            if key in told and now_s - told[key].at_s < AGAIN_AFTER_S:
                continue
            alert = Alert.of(concern.kind, concern.title, url=f"{self._dagster_url}{concern.path}")
            try:
                self._sink.deliver(alert)
            except AlertError as err:
                _LOG.warning("%s It is tried again at the next look. The alert: %s", err, alert.text)
                continue
            told[key] = _Told(now_s, name)
            delivered.append(alert)
        if told != self.told:
            self.told = told
            self._remember()
        return delivered

    def _concerns_of(self, name: str, look: Look, blind: set[str]) -> Iterable[Concern]:
        try:
            yield from look()
        except Exception as err:  # noqa: BLE001 - what cannot be looked at is itself to be told, and must not end the watch
            _LOG.exception("%s cannot be looked at", name)
            blind.add(name)
            said = " ".join(str(err).split()) or type(err).__name__
            yield Concern(
                "watch_blind", name, f"{name[0].upper()}{name[1:]} cannot be looked at: {said}", "/deployment"
            )

    def _remember(self) -> None:
        try:
            write_whole(self._memory, json.dumps({key: asdict(each) for key, each in self.told.items()}).encode())
        except StorageError as err:
            _LOG.warning("%s What was told is told again after a restart.", err)


def _read(memory: Path) -> dict[str, _Told]:
    try:
        content = json.loads(memory.read_bytes())
        return {str(key): _Told(float(each["at_s"]), str(each["look"])) for key, each in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError):
        return {}
