"""What the sensor `arrivals` keeps from one look to the next: the recordings that wait for their second look."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from resources.recordings import Landed


@dataclass(frozen=True, slots=True)
class Waiting:
    """The cursor: a few dozen bytes for each recording that was seen once, and nothing for one that was taken in."""

    stamps: Mapping[str, str] = field(default_factory=dict)
    """Episode → a digest of its recording's stamp at the last look."""
    looked_again_s: float = 0.0
    """When everything registered was last looked through, in seconds since the Unix epoch."""

    @classmethod
    def of_cursor(cls, cursor: str | None) -> Waiting:
        """As `to_cursor` wrote it; what is not legible costs every waiting recording one look more."""
        try:
            content = json.loads(cursor or "{}")
            stamps = {str(episode): str(stamp) for episode, stamp in content.get("waiting", {}).items()}
            return cls(stamps, float(content.get("looked_again_s", 0.0)))
        except (ValueError, TypeError, AttributeError, OverflowError):
            return cls()

    def to_cursor(self) -> str:
        """As text, for Dagster to keep."""
        return json.dumps({"waiting": dict(self.stamps), "looked_again_s": self.looked_again_s})

    def split(
        self, candidates: Iterable[Landed], *, written_before_s: float, most: int
    ) -> tuple[list[Landed], dict[str, str]]:
        """Tell the recordings that have settled from those that are to be looked at once more.

        Args:
            candidates: What is to be taken in, most wanted first.
            written_before_s: What was written to since is not even noted, in seconds since the Unix epoch.
            most: Recordings that may be taken in now; twice as many are noted.

        Returns:
            What has settled, and what to note: episode → digest of its stamp.
        """
        settled: list[Landed] = []
        noted: dict[str, str] = {}
        for landed in candidates:
            if landed.written_ns >= written_before_s * 1e9:
                continue
            stamp = digest(landed.stamp)
            if self.stamps.get(landed.episode) == stamp and len(settled) < most:
                settled.append(landed)
            elif len(noted) < 2 * most:
                noted[landed.episode] = stamp
            elif len(settled) >= most:
                break
        return settled, noted


def digest(content: object) -> str:
    """A short name for plain values."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
