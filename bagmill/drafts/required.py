"""Which features an episode must have for its whole length, so that most of the recording is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment import RULES
from bagmill.alignment.ticks import count_ticks

_MOST_TICKS = 20_000
"""Tried of a timeline; spread over all of it where it has more."""
_LEAST_SPAN = 0.9
"""A feature that lasts for less of the leading one's time is not required."""
_LEAST_LED = 0.8
"""The leading feature lasts for at least this much of the recording."""
_LEAST_COVERED = 0.982
"""Above what the check `tick_coverage` asks by itself."""
_LEAST_LED_COVERED = 0.8
LEAST_WIDENED = 0.5
"""A leading feature that covers less of its own time is no recording to train on, and no check is widened for it."""


@dataclass(frozen=True, slots=True)
class LaidPart:
    """One part of a feature as it is to be laid on the timeline."""

    stamps_ns: NDArray[np.int64]
    """(N,) as recorded."""
    rule: str
    tolerance_ns: int
    valid_share: float
    """Of its messages, those that hold what is wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class RequiredChoice:
    """What is required, and why the rest is not."""

    leading: str
    """The feature that the timeline lasts as long as, where there is one."""
    reasons: Mapping[str, str]
    """Feature → why it is not required."""
    least_covered_percent: int | None = None
    """What the checks of coverage must allow, as the leading feature itself has pauses; None: what they ask anyway."""
    covered: Mapping[str, float] = field(default_factory=dict)
    """Feature → share of the ticks that it covers."""
    span: Literal["overlap", "union"] = "overlap"
    """`union` where no feature lasts for most of the recording."""
    kept_share: float = 1.0
    """Of the time that all features cover together, what lies between the first tick and the last."""
    ticks_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Of the timeline, as far as they were tried."""

    def why_optional(self, parts: Sequence[LaidPart]) -> str | None:
        """Why a feature that is only suggested would not be required; None where an episode keeps its length with it."""
        if self.span == "union":
            return "no feature lasts for most of the recording"
        share = _cover(parts, self.ticks_ns)
        least_covered = min(_LEAST_COVERED, self.covered[self.leading])
        return None if share >= least_covered else _say_covered(share)


def choose_required(
    features: Mapping[str, Sequence[LaidPart]], *, ranking: Sequence[str], rate_hz: Fraction
) -> RequiredChoice:
    """Choose the features that every episode must have.

    Args:
        features: By name; every part has at least one message.
        ranking: Their names, the most important first: the one that should lead the timeline.
        rate_hz: Ticks a second.
    """
    spans = {name: _span(parts) for name, parts in features.items()}
    whole = _length((min(start for start, _ in spans.values()), max(end for _, end in spans.values())))
    lasting = [name for name in ranking if _length(spans[name]) >= _LEAST_LED * whole]
    if not lasting:
        shares = {name: f"lasts for {100 * _length(span) / max(whole, 1):.0f} %" for name, span in spans.items()}
        return RequiredChoice(
            ranking[0],
            {name: f"{share} of the recording" for name, share in shares.items()},
            span="union",
            kept_share=_kept(whole, whole, rate_hz=rate_hz),
        )
    for leading in lasting:
        ticks = _ticks(spans[leading], rate_hz=rate_hz)
        if _cover(features[leading], ticks) >= _LEAST_LED_COVERED:
            break
    else:
        leading = lasting[0]
    return _choose_beside(leading, features, spans, whole_ns=whole, rate_hz=rate_hz)


def _choose_beside(
    leading: str,
    features: Mapping[str, Sequence[LaidPart]],
    spans: Mapping[str, tuple[int, int]],
    *,
    whole_ns: int,
    rate_hz: Fraction,
) -> RequiredChoice:
    time = spans[leading]
    reasons = {
        name: why
        for name, span in spans.items()
        if name != leading and (why := _why_short(span, time, leading=leading))
    }
    covered: dict[str, float] = {}
    while True:
        required = [name for name in features if name not in reasons]
        shared = max(spans[name][0] for name in required), min(spans[name][1] for name in required)
        ticks = _ticks(shared, rate_hz=rate_hz)
        covered = {name: _cover(parts, ticks) for name, parts in features.items()}
        # What has the same pauses as the leading feature is asked for no more than that.
        least_covered = min(_LEAST_COVERED, covered[leading])
        gappy = {name: covered[name] for name in required if covered[name] < least_covered}
        if not gappy:
            break
        worst = min(gappy, key=gappy.__getitem__)
        reasons[worst] = _say_covered(gappy[worst])
    is_widened = LEAST_WIDENED <= covered[leading] < _LEAST_COVERED
    least = int(100 * covered[leading] * 0.95) if is_widened else None
    kept_share = _kept(_length(shared), whole_ns, rate_hz=rate_hz)
    return RequiredChoice(leading, reasons, least, covered, kept_share=kept_share, ticks_ns=ticks)


def _say_covered(share: float) -> str:
    return f"covers {100 * share:.0f} % of the ticks"


def _why_short(span: tuple[int, int], time: tuple[int, int], *, leading: str) -> str | None:
    shared = min(span[1], time[1]) - max(span[0], time[0])
    if shared >= _LEAST_SPAN * _length(time):
        return None
    if shared <= 0:
        return f"never while {leading} is recorded"
    late, early = span[0] - time[0], time[1] - span[1]
    told = [f"starts {late / 1e9:.3g} s late"] if late > 0.02 * _length(time) else []
    told += [f"ends {early / 1e9:.3g} s early"] if early > 0.02 * _length(time) else []
    return " and ".join(told) or "short"


def _span(parts: Sequence[LaidPart]) -> tuple[int, int]:
    return max(int(part.stamps_ns.min()) for part in parts), min(int(part.stamps_ns.max()) for part in parts)


def _length(span: tuple[int, int]) -> int:
    return max(span[1] - span[0], 0)


def _kept(length_ns: int, whole_ns: int, *, rate_hz: Fraction) -> float:
    """Share of a time that ticks cover which begin and end within a part of it."""
    num_periods = count_ticks(0, length_ns, rate_hz=rate_hz) - 1
    return float(num_periods / rate_hz) * 1e9 / whole_ns if whole_ns else 1.0


def _ticks(span: tuple[int, int], *, rate_hz: Fraction) -> NDArray[np.int64]:
    num_ticks = max(count_ticks(*span, rate_hz=rate_hz), 1)
    places = np.unique(np.linspace(0, num_ticks - 1, min(num_ticks, _MOST_TICKS)).astype(np.int64))
    return span[0] + (places * (1e9 / float(rate_hz))).astype(np.int64)


def _cover(parts: Sequence[LaidPart], ticks_ns: NDArray[np.int64]) -> float:
    """Share of the ticks at which all parts have a message."""
    is_valid = np.ones(len(ticks_ns), dtype=np.bool_)
    share = 1.0
    for part in parts:
        is_valid &= RULES[part.rule].select(part.stamps_ns, ticks_ns, tolerance_ns=part.tolerance_ns).is_valid
        share *= part.valid_share
    return float(is_valid.mean()) * share
