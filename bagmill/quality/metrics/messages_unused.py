"""Messages that could have fed ticks and did not, for they share their stamps with others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.order import StampOrder
from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, Stage, TimelineEvidence
from bagmill.quality.tick_periods import count_periods, spread_stamps
from bagmill.quality.used_parts import UsedPart, used_parts


class MessagesUnused:
    """Tick periods in which messages came, but none by the clock in use: its stamps stood still meanwhile, or jumped.

    Only messages within the episode count. That they come in bursts, or faster than the ticks, is not held against
    them: of many in one period one is enough.
    """

    name = "messages_unused"
    stage: Stage = "timeline"
    unit = "%"
    direction: Direction = "lower"
    threshold: float | None = 20.0
    severity: Severity = "error"
    description = (
        "Share of what was recorded of each feature, at up to the tick rate, that fed no tick. A failure means that "
        "many messages carry one stamp, so that most of the recording is thrown away: use the other clock."
    )

    def measure(self, evidence: TimelineEvidence) -> list[Measurement]:
        """One percentage a part; those of optional features are not judged."""
        ticks_ns, rate_hz = evidence.timeline.time_ns, float(evidence.plan.profile.rate_hz)
        start_ns, end_ns = int(ticks_ns[0]), int(ticks_ns[-1])
        return [_measure(part, start_ns, end_ns, rate_hz=rate_hz) for part in used_parts(evidence)]


def _measure(part: UsedPart, start_ns: int, end_ns: int, *, rate_hz: float) -> Measurement:
    is_within = (part.stamps_ns >= start_ns) & (part.stamps_ns <= end_ns)
    num_within = int(np.count_nonzero(is_within))
    if not num_within:
        return Measurement(part.subject, float("nan"), "no message within the episode", is_judged=False)
    stamps = part.stamps_ns[is_within & StampOrder.of(part.stamps_ns).is_in_order]
    other = part.other_clock()
    feeding = np.concatenate([part.aligned.before, part.aligned.after])[np.tile(part.aligned.is_valid, 2)]
    num_fed = int(np.count_nonzero(np.isin(part.rows[is_within], feeding)))
    used = max(num_fed, count_periods(stamps, rate_hz=rate_hz)[1])
    other_ns = None if other is None else other[1][is_within]
    possible = _possible(stamps, other_ns, num_within=num_within, used=used, rate_hz=rate_hz)
    value = 100 * max(0.0, 1 - used / possible) if possible else 0.0
    notes = [f"{num_fed:,} of {num_within:,} messages feed a tick"]
    num_stamps = len(np.unique(part.stamps_ns[is_within]))
    if num_stamps < num_within:
        notes.append(f"{num_within:,} share {num_stamps:,} {part.clock} stamp{'s' if num_stamps > 1 else ''}")
    if value and other is not None:
        notes.append(f"by the {other[0]} clock they fill {possible:,} tick periods: use `clock: {other[0]}`")
    return Measurement(part.subject, value, "; ".join(notes), is_judged=part.is_required)


def _possible(
    stamps_ns: NDArray[np.int64], other_ns: NDArray[np.int64] | None, *, num_within: int, used: int, rate_hz: float
) -> int:
    """How many tick periods the messages fill by what can be known of the moments at which they were measured.

    Those that share a stamp are spread until the next; another clock tells when they came. Each knows too much at times:
    by the other clock a slow simulation lasts long, and messages of one instant may share a stamp with good reason. So
    what both say counts.
    """
    spread = spread_stamps(stamps_ns)
    known = [] if spread is None else [count_periods(spread, rate_hz=rate_hz)[0]]
    if other_ns is not None:
        by_other = count_periods(other_ns, rate_hz=rate_hz)[0]
        # A clock that stands still itself knows nothing.
        known += [by_other] if 2 * by_other >= used else []
    return min(known, default=num_within)
