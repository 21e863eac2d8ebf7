"""Which feature sets the rate of the timeline."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.drafts.groups import Group

_FEW_STAMPS = 2
_MOSTLY_THERE = 0.5
"""Of the messages that its usual interval would give; a channel with fewer tells of events."""


def leading_group(groups: Sequence[Group]) -> Group:
    """The camera with the most frames, else the busiest of what the timeline is most about.

    Args:
        groups: Those that are taken, at least one.
    """

    def order(group: Group) -> tuple[bool, int, int]:
        pace = group.paced[0].pace
        is_event = group.candidate.role == "signal" and pace.mean_rate_hz < _MOSTLY_THERE * pace.rate_hz
        return pace.num_stamps < _FEW_STAMPS or is_event, group.rank, -pace.num_stamps

    return min(groups, key=order)
