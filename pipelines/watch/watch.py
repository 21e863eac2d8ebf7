"""Concerns → alerts: one when something begins, one a day while it goes on, none twice for the same."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bagmill.dataset.whole_file import write_whole
from bagmill.errors import StorageError
from pipelines.watch.concern import Concern, Look
from resources.alerts import Alert, AlertError, AlertSink

AGAIN_AFTER_S: Final = 24 * 3600.0
_LOG: Final = logging.getLogger("bagmill.watch")


class Watch:
    """Looks again and again, and remembers what was told.

    Args:
        looks: What is looked at, by name.
        sink: Is told.
        dagster_url: What links begin with.
        memory: A file that keeps what was told over restarts; where it cannot be written, the process remembers.
    """

    def __init__(self, looks: Sequence[tuple[str, Look]], *, sink: AlertSink, dagster_url: str, memory: Path) -> None:
        self._looks = looks
        self._sink = sink
        self._dagster_url = dagster_url
        self._memory = memory
        self._told_s = _read(memory)

    def look(self) -> list[Alert]:
        """Look at everything once, and tell what is news; what cannot be delivered is news at the next look, too.

        Returns:
            What was delivered.
        """
        now_s = time.time()
        concerns = {f"{each.kind}: {each.subject}": each for each in self._concerns()}
        told_s = {key: at_s for key, at_s in self._told_s.items() if key in concerns}
        delivered: list[Alert] = []
        for key, concern in concerns.items():
            if key in told_s and now_s - told_s[key] < AGAIN_AFTER_S:
                continue
            alert = Alert.of(concern.kind, concern.title, url=f"{self._dagster_url}{concern.path}")
            try:
                self._sink.deliver(alert)
            except AlertError as err:
                _LOG.warning("%s It is tried again at the next look. The alert: %s", err, alert.text)
                continue
            told_s[key] = now_s
            delivered.append(alert)
        if told_s != self._told_s:
            self._told_s = told_s
            self._remember()
        return delivered

    def _concerns(self) -> Iterable[Concern]:
        for name, look in self._looks:
            try:
                yield from look()
            except Exception as err:  # noqa: BLE001 - what cannot be looked at is itself to be told, and must not end the watch
                _LOG.exception("%s cannot be looked at", name)
                said = " ".join(str(err).split()) or type(err).__name__
                yield Concern(
                    "watch_blind", name, f"{name[0].upper()}{name[1:]} cannot be looked at: {said}", "/deployment"
                )

    def _remember(self) -> None:
        try:
            write_whole(self._memory, json.dumps(self._told_s).encode())
        except StorageError as err:
            _LOG.warning("%s What was told is told again after a restart.", err)


def _read(memory: Path) -> dict[str, float]:
    try:
        content = json.loads(memory.read_bytes())
        return {str(key): float(at_s) for key, at_s in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return {}
