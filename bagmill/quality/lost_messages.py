"""Messages that gave no value, and why: what checks and refusals say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bagmill.messages import DecodeFault
from bagmill.plan import FeaturePlan, IngestPlan
from bagmill.quality.metric import EpisodeEvidence

_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class LostMessages:
    """What is said of a feature's messages that gave no value."""

    note: str
    """Every reason with its count."""
    remedy: str
    """What can be done about it, a clause without a full stop; empty where nobody knows."""


def lost_messages(evidence: EpisodeEvidence) -> dict[str, LostMessages]:
    """Feature → its messages that gave no value; features without such messages are left out."""
    found = {}
    for feature in evidence.plan.features:
        faults = evidence.decode_faults.get(feature.name, ())
        reasons = fault_texts(faults, start_ns=_start_ns(feature, evidence.plan))
        if num_unmeasured := evidence.num_unmeasured.get(feature.name, 0):
            reasons.append(f"{num_unmeasured:,} messages say that nothing was measured")
        if reasons:
            found[feature.name] = LostMessages("; ".join(reasons), _remedy(faults))
    return found


def fault_texts(faults: Sequence[DecodeFault], *, start_ns: int) -> list[str]:
    """The most frequent reasons, and how many messages have another one.

    Args:
        faults: The most frequent first.
        start_ns: The start that times are told from, ns since the Unix epoch.
    """
    texts = [fault.text(start_ns) for fault in faults[:_MOST_REASONS]]
    if rest := sum(fault.num_messages for fault in faults[_MOST_REASONS:]):
        texts.append(f"{rest:,} messages for other reasons")
    return texts


def _start_ns(feature: FeaturePlan, plan: IngestPlan) -> int:
    """When the first of the feature's messages was logged; a recorder may write 0 before it knows the time."""
    stamps = [plan.stream_of(part).log_time_ns for part in feature.parts]
    return min((int(each[each > 0].min()) for each in stamps if (each > 0).any()), default=0)


def _remedy(faults: Sequence[DecodeFault]) -> str:
    remedies = dict.fromkeys(fault.remedy for fault in faults[:_MOST_REASONS] if fault.remedy)
    return ". ".join(remedies)
