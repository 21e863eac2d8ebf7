"""What somebody should be told of, as long as it is so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from resources.alerts import AlertKind


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that is not as it should be."""

    kind: AlertKind
    subject: str
    """What it is about: with the kind, what tells it from others."""
    title: str
    """One or two sentences: what is wrong, and what to do."""
    path: str
    """Of the page of Dagster's web UI to look at, behind its address."""


Look = Callable[[], Iterable[Concern]]
"""Gives what concerns it now; whatever it raises becomes a concern of its own."""
