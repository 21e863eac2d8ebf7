"""Times at which a clock was set while it stamped messages that are used."""

from __future__ import annotations

import numpy as np

from bagmill.alignment.order import StampOrder
from bagmill.profile import Severity
from bagmill.quality.clock_steps import ClockStep, find_steps
from bagmill.quality.metric import Direction, Measurement, Stage, TimelineEvidence
from bagmill.quality.used_parts import UsedPart, used_parts

_SHOWN = 3


class ClockSteps:
    """Steps of the clock in use, back or forward, while a feature's messages were stamped.

    Around a step back one stamp means two moments: those ticks are invalid, and other sensors are laid beside either
    of the two. A step forward is counted of header clocks, of which every sensor may have its own, where the log clock
    went on.
    """

    name = "clock_steps"
    stage: Stage = "timeline"
    unit = "steps"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "error"
    description = (
        "How often the clock was set back or forward while it stamped the messages of each feature. A failure means "
        "that sensors are laid beside those of another moment: use the other clock, or cut the recording there."
    )

    def measure(self, evidence: TimelineEvidence) -> list[Measurement]:
        """One count a part; of optional features too, for theirs would stand beside another moment's as well."""
        return [_measure(part) for part in used_parts(evidence)]


def _measure(part: UsedPart) -> Measurement:
    order = StampOrder.of(part.stamps_ns)
    other = part.other_clock()
    other_ns = None if other is None else other[1]
    steps = find_steps(part.stamps_ns, order, other_ns, is_everybodys=part.clock != "header")
    notes = []
    if steps:
        told = [_tell(step, part) for step in steps[:_SHOWN]]
        more = f" and {len(steps) - _SHOWN} more" if len(steps) > _SHOWN else ""
        notes.append(f"{part.clock} clock of {part.topic} set {', '.join(told)}{more}")
        if num_overlapped := int(np.count_nonzero(order.is_overlapped)):
            notes.append(f"{num_overlapped:,} messages overlap")
        notes.append(
            "cut the recording there, or sort it by time if it was only written out of order"
            if other is None
            else f"the {other[0]} clock went on: use `clock: {other[0]}`, or cut the recording there"
        )
    if num_strays := int(np.count_nonzero(order.is_stray)):
        notes.append(f"{num_strays:,} messages out of order by themselves")
    return Measurement(part.subject, float(len(steps)), "; ".join(notes))


def _tell(step: ClockStep, part: UsedPart) -> str:
    # By the message before it: the log clock may be the one that was set.
    since_s = (int(part.log_ns[step.row - 1]) - int(part.log_ns[0])) / 1e9
    return f"{abs(step.change_ns) / 1e9:,.3f} s {'back' if step.change_ns < 0 else 'forward'} at {since_s:,.2f} s"
