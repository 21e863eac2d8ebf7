"""How far from a tick a message may be, by how a channel's messages come."""

from __future__ import annotations

from bagmill.drafts.pace import Pace, round_up_ms
from bagmill.profile_numbers import MOST_MS

_FALLBACK_MS = 50.0


def tolerance_ms(pace: Pace, *, rule: str, lasts_until_ns: int | None = None) -> float:
    """A tolerance that lets single messages be lost and does not bridge a pause, up to the longest that a profile takes.

    Args:
        pace: Of the messages that feed the feature.
        rule: `nearest` reaches to both sides, so that it needs but half an interval and some.
        lasts_until_ns: Where a message counts until the next one, however long that takes: the recording's end.
    """
    return min(_tolerance_ms(pace, rule=rule, lasts_until_ns=lasts_until_ns), MOST_MS)


def _tolerance_ms(pace: Pace, *, rule: str, lasts_until_ns: int | None) -> float:
    if not pace.interval_ns > 0:
        return _FALLBACK_MS
    if lasts_until_ns is not None and not pace.is_regular:
        return round_up_ms(1.02 * max(pace.longest_interval_ns, lasts_until_ns - pace.end_ns))
    longest_ns = 1.2 * pace.long_interval_ns if pace.is_bursty else 0.0
    if rule == "nearest":
        reach_ns = min(0.55 * pace.bridge_ns, max(2.5 * pace.interval_ns, longest_ns))
        return round_up_ms(max(0.75 * pace.interval_ns, reach_ns))
    reach_ns = min(1.05 * pace.bridge_ns, max(5 * pace.interval_ns, longest_ns))
    return round_up_ms(max(2.5 * pace.interval_ns, reach_ns))
