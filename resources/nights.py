"""Which night it is."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg


class Nights(dg.ConfigurableResource[None]):
    """The deployment's calendar."""

    time_zone: str

    def date_of(self, moment: datetime) -> str:
        """The night that a moment belongs to: the day it falls on in the deployment's time zone, `2026-11-21`."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date().isoformat()
