"""Streams → one timeline: the common clock of an episode, and which message of every stream feeds which tick.

Belongs here: ticks, the rules by which messages feed them (one a file in `rules`), the span that streams share. All
of it works on time stamps and on numbers already decoded. Stays out: where stamps come from (`streams`), payloads
(`messages`), which feature follows which rule (`plan`), whether the result is good enough (`quality`).
"""

from bagmill.alignment.align import MAX_DURATION_NS, AlignmentRequest, align
from bagmill.alignment.combine import combine_parts, in_stream
from bagmill.alignment.rules import RULES, Rule
from bagmill.alignment.ticks import count_ticks, make_ticks
from bagmill.alignment.timeline import AlignedFeature, Timeline

__all__ = [
    "MAX_DURATION_NS",
    "RULES",
    "AlignedFeature",
    "AlignmentRequest",
    "Rule",
    "Timeline",
    "align",
    "combine_parts",
    "count_ticks",
    "in_stream",
    "make_ticks",
]
