"""One channel → the features it gives, each with the settings that fit how its messages come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.fields import FieldChoice, choose_fields, choose_joint_field, innermost
from bagmill.drafts.naming import is_command
from bagmill.drafts.pace import Pace, measure_pace, round_rate, round_up_ms, say_pace
from bagmill.profile import Clock

_COVERS = 0.9
"""A channel that covers less of the main channel's time than this is not required."""


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
    candidate: Candidate,
    *,
    name: str,
    clock: Clock,
    is_clock_own: bool,
    main: Candidate,
    main_pace: Pace,
    is_active: bool,
) -> list[FeatureDraft]:
    """Draft the features of one channel.

    Args:
        candidate: The channel and what it is for.
        name: Of the feature, or what the names of several begin with.
        clock: The clock it is laid on the timeline by.
        is_clock_own: That is not the profile's, so the feature must say so.
        main: The channel that the timeline goes by.
        main_pace: How its messages come.
        is_active: Taken, not only suggested.
    """
    stream = candidate.stream
    pace = measure_pace(stream.time_ns(clock))
    says = say_pace(pace)
    coming: dict[str, object] = {"clock": clock} if is_clock_own else {}
    if pace.is_regular:
        coming["expected_rate_hz"] = round_rate(pace.rate_hz)
    if candidate is not main and (why := _why_optional(candidate, pace, main_pace)):
        coming["required"] = False
        says += f", {why}: not required"
    if candidate.role in ("image", "depth"):
        content = stream.content
        comment = f"{content.width}×{content.height} {content.encoding}, {says}"
        settings = {"channel": candidate.topic, "tolerance_ms": _tolerance_ms(pace, rule="nearest"), **coming}
        return [FeatureDraft(name, settings, comment, is_active)]
    choices = _choices(candidate)
    drafts: list[FeatureDraft] = []
    for choice in choices:
        rule = "latest" if candidate.role == "action" or is_command(candidate.topic) else choice.rule
        settings = {"channel": candidate.topic, "field": choice.field}
        if stream.content.names and choice.num_values == len(stream.content.names):
            # Spelled out, so that another recording's first message cannot change their order.
            settings["names"] = list(stream.content.names)
        if choice.units:
            settings["units"] = choice.units
        settings |= {"rule": rule, "tolerance_ms": _tolerance_ms(pace, rule=rule), **coming}
        values = f"{choice.num_values} value{'' if choice.num_values == 1 else 's'}"
        comment = f"{stream.channel.schema_name}, {values}, {says}"
        if not drafts:
            comment += _say_others(candidate, choices)
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
    """Pictures: three quarters of the time between two. Signals: two and a half times it, so that one may be lost."""
    if not pace.interval_ns > 0:
        return 50
    interval_ns = min(pace.long_interval_ns, 3 * pace.interval_ns)
    return round_up_ms(interval_ns * (0.75 if rule == "nearest" else 2.5))


def _why_optional(candidate: Candidate, pace: Pace, main: Pace) -> str | None:
    """Why an episode must neither be shortened to a channel's messages nor fail for want of them."""
    shared_ns = min(pace.end_ns, main.end_ns) - max(pace.start_ns, main.start_ns)
    share = shared_ns / max(main.end_ns - main.start_ns, 1)
    if share <= 0:
        return "never when the main channel's do"
    if share < _COVERS:
        return f"over {100 * share:.0f} % of the main channel's time"
    return "irregular" if candidate.role in ("action", "signal") and pace.is_irregular else None


def _say_others(candidate: Candidate, choices: Sequence[FieldChoice]) -> str:
    """The message's other fields that have a place of their own beside the chosen ones."""
    chosen = {choice.field for choice in choices}
    fields = [field for field in innermost(candidate.stream.content.fields) if field not in chosen]
    if not fields:
        return ""
    return f"; also {', '.join(fields[:4])}" + (f" and {len(fields) - 4} more" if len(fields) > 4 else "")
