"""One channel → the features it gives, each with the settings that fit how its messages come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.fields import FieldChoice, choose_fields, choose_joint_field
from bagmill.drafts.naming import is_command
from bagmill.drafts.pace import Pace, measure_pace, round_rate, round_up_ms, say_pace
from bagmill.profile import Clock

_COVERS = 0.9
"""A channel that covers less of the main channel's time than this must not shorten the episode."""


@dataclass(frozen=True, slots=True)
class FeatureDraft:
    """One feature, as it is to be written down."""

    name: str
    settings: Mapping[str, object]
    """As a profile takes them, in the order they are written."""
    comment: str
    """What the recording has there."""
    is_active: bool
    """False: a suggestion, written as a comment."""


def draft_features(
    candidate: Candidate, *, name: str, clock: Clock, is_clock_own: bool, main: Pace, is_active: bool
) -> list[FeatureDraft]:
    """Draft the features of one channel.

    Args:
        candidate: The channel and what it is for.
        name: Of the feature, or what the names of several begin with.
        clock: The clock it is laid on the timeline by.
        is_clock_own: That is not the profile's, so the feature must say so.
        main: The channel that the timeline goes by.
        is_active: Taken, not only suggested.
    """
    stream = candidate.stream
    pace = measure_pace(stream.time_ns(clock))
    own_clock: dict[str, object] = {"clock": clock} if is_clock_own else {}
    coming = {**own_clock, **_expectations(pace, main=main)}
    says = say_pace(pace)
    if candidate.role in ("image", "depth"):
        content = stream.content
        comment = f"{content.width}×{content.height} {content.encoding}, {says}"
        settings = {"channel": candidate.topic, "tolerance_ms": _tolerance_ms(pace, rule="nearest"), **coming}
        return [FeatureDraft(name, settings, comment, is_active)]
    choices = _choices(candidate)
    drafts = []
    for choice in choices:
        rule = "latest" if candidate.role == "action" or is_command(candidate.topic) else choice.rule
        settings = {"channel": candidate.topic, "field": choice.field}
        if stream.content.names and choice.num_values == len(stream.content.names):
            settings["names"] = list(stream.content.names)
        if choice.units:
            settings["units"] = choice.units
        settings |= {"rule": rule, "tolerance_ms": _tolerance_ms(pace, rule=rule), **coming}
        others = [field for field in stream.content.fields if field not in {one.field for one in choices}]
        comment = f"{stream.channel.schema_name}, {choice.num_values} values, {says}" + _say_fields(others)
        whole_name = name if len(choices) == 1 else f"{name}_{choice.suffix}"
        drafts.append(FeatureDraft(whole_name, settings, comment, is_active))
    return drafts


def _choices(candidate: Candidate) -> tuple[FieldChoice, ...]:
    content = candidate.stream.content
    if candidate.role in ("state", "action"):
        choice = choose_joint_field(content.fields, num_joints=len(content.names))
        if choice is not None:
            return (choice,)
    return choose_fields(content.fields)


def _tolerance_ms(pace: Pace, *, rule: str) -> float:
    """Pictures: three quarters of the time between two; signals: two and a half times it, so that one message may be lost."""
    if not pace.interval_ns > 0:
        return 50
    interval_ns = min(pace.long_interval_ns, 3 * pace.interval_ns)
    return round_up_ms(interval_ns * (0.75 if rule == "nearest" else 2.5))


def _expectations(pace: Pace, *, main: Pace) -> dict[str, object]:
    settings: dict[str, object] = {}
    if pace.is_regular:
        settings["expected_rate_hz"] = round_rate(pace.rate_hz)
    shared_ns = min(pace.end_ns, main.end_ns) - max(pace.start_ns, main.start_ns)
    if shared_ns < _COVERS * (main.end_ns - main.start_ns):
        settings["required"] = False
    return settings


def _say_fields(fields: Sequence[str]) -> str:
    if not fields:
        return ""
    return f"; also {', '.join(fields[:6])}" + (f" and {len(fields) - 6} more" if len(fields) > 6 else "")
