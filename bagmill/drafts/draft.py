"""Recording → a profile to start from: what is there, how fast it comes, and what would be a sensible way to use it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from bagmill.drafts.candidates import find_candidates, why_no_candidates
from bagmill.drafts.checks import CheckDraft, draft_checks
from bagmill.drafts.clock import ClockChoice, choose_clock, say_other_clocks
from bagmill.drafts.features import FeatureDraft, draft_feature
from bagmill.drafts.groups import Group, draft_groups, with_grippers
from bagmill.drafts.leading import leading_group
from bagmill.drafts.left_out import say_missed
from bagmill.drafts.look import RecordingValues
from bagmill.drafts.naming import without_repeats
from bagmill.drafts.pace import measure_pace, round_rate, say_pace
from bagmill.drafts.required import RequiredChoice, choose_required
from bagmill.drafts.role_names import with_role_names
from bagmill.drafts.roles import activate
from bagmill.drafts.trial import those_that_fit
from bagmill.drafts.warnings import is_refused_anyway, warn
from bagmill.errors import PlanError
from bagmill.profile import MOST_FEATURES, MOST_IN_NAME, Clock
from bagmill.profile_numbers import LEAST_HZ, MOST_HZ
from bagmill.streams.index import RecordingIndex

_FALLBACK_RATE_HZ = Fraction(10)
_FEWEST_STAMPS = 2


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """A profile to start from, with the reasons for what it says."""

    name: str
    recording: str
    """The file or folder it was drafted from."""
    clock: ClockChoice
    rate_hz: Fraction
    rate_reason: str
    features: tuple[FeatureDraft, ...]
    left_out: tuple[tuple[str, str, str], ...]
    """(topic, message type, reason) of every channel, or field of one, without a feature."""
    checks: tuple[CheckDraft, ...] = ()
    """Those that the recording fails by itself, as wide as it needs; none where it is refused for another reason."""
    span: str = "overlap"
    """As the profile has it."""
    warnings: tuple[str, ...] = ()
    """What nobody should train without knowing, one sentence each."""


def draft_profile(
    index: RecordingIndex, *, rate_hz: Fraction | None = None, values: RecordingValues | None = None
) -> ProfileDraft:
    """Draft a profile that fits a recording.

    Args:
        index: The recording's scan.
        rate_hz: Ticks a second; None: the main camera's rate, else the main signal's.
        values: What a second look saw, by `look_again`; None: rules are chosen by names and types alone.

    Raises:
        PlanError: There is nothing to train on in the recording.
    """
    values = values or RecordingValues()
    index = values.restamped or index
    candidates, unfit = find_candidates(index)
    if not candidates:
        raise PlanError([why_no_candidates(index)], path=index.path, remedy="`bagmill scan` lists what it holds")
    active, observed = activate(candidates)
    leading = [candidate for candidate in active if candidate.role != "signal"] or active
    clock = choose_clock(leading)
    left_out = [(stream.channel.topic, stream.channel.schema_name, reason) for stream, reason in unfit]
    clocks: dict[int, Clock] = {}
    for candidate in candidates:
        channel = candidate.stream.channel
        own = clock.of_channel(candidate.stream)
        if own is None:
            left_out.append((channel.topic, channel.schema_name, _why_another_clock(clock)))
        elif measure_pace(candidate.stream.time_ns(own)).num_stamps < _FEWEST_STAMPS:
            left_out.append((channel.topic, channel.schema_name, f"all of its messages have one {own} time"))
        else:
            clocks[channel.id] = own
    groups, fields_out = draft_groups(candidates, active=active, clocks=clocks, index=index, values=values)
    groups, misfits = those_that_fit(with_grippers(groups), clock=clock.clock, index=index)
    left_out += fields_out + misfits
    if not any(group.is_active for group in groups):
        groups = tuple(replace(group, is_active=True) for group in groups)
    taken = set([group for group in groups if group.is_active][:MOST_FEATURES])
    groups = tuple(group if group in taken else replace(group, is_active=False) for group in groups)
    if not groups:
        raise PlanError(
            [f"{topic}: {reason}" for topic, _, reason in left_out if reason != "no messages"][:8],
            path=index.path,
            remedy="`bagmill scan` lists what it holds",
        )
    groups = with_role_names(groups)
    main = leading_group([group for group in groups if group.is_active])
    rate, reason = (rate_hz, "as asked for") if rate_hz is not None else _rate(main)
    groups = tuple(sorted(groups, key=lambda group: not group.is_active))
    names = without_repeats([group.name for group in groups])
    groups = tuple(replace(group, name=name) for group, name in zip(groups, names, strict=True))
    choice = _choose_required(groups, main=main, rate_hz=rate)
    features = tuple(_feature(group, clock=clock.clock, choice=choice) for group in groups)
    clock = replace(clock, reason=say_other_clocks(clock, _clock_by_topic(groups)))
    checks = tuple(draft_checks(groups, choice=choice, values=values))
    return ProfileDraft(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "_", Path(index.path).stem).strip("_.")[:MOST_IN_NAME] or "profile",
        recording=Path(index.path).name,
        clock=clock,
        rate_hz=rate,
        rate_reason=reason,
        features=features,
        left_out=tuple(sorted(left_out)),
        # A check that is wider lets nothing pass that is refused for another reason.
        checks=() if is_refused_anyway(clock, choice=choice, faults=index.faults) else checks,
        span=choice.span,
        warnings=tuple(
            warn(
                groups,
                clock=clock,
                choice=choice,
                checks=checks,
                faults=index.faults,
                rate_hz=rate,
                missed=say_missed(left_out, index=index, used={topic for one in features for topic in one.channels}),
                observed=observed,
            )
        ),
    )


def _clock_by_topic(groups: Sequence[Group]) -> dict[str, Clock]:
    return {group.candidate.topic: part.clock for group in groups for part in group.parts}


def _rate(main: Group) -> tuple[Fraction, str]:
    pace = main.paced[0].pace
    why = f"{main.candidate.topic} has {say_pace(pace)}"
    if pace.rate_hz > 0 and LEAST_HZ <= (rate_hz := Fraction(str(round_rate(pace.rate_hz)))) <= MOST_HZ:
        return rate_hz, why
    return _FALLBACK_RATE_HZ, f"a guess: {why}"


def _choose_required(groups: Sequence[Group], *, main: Group, rate_hz: Fraction) -> RequiredChoice:
    active = [group for group in groups if group.is_active]
    ranking = sorted(active, key=lambda group: (group.candidate is not main.candidate, group.rank))
    laid = {group.name: [paced.laid for paced in group.paced] for group in active}
    return choose_required(laid, ranking=[group.name for group in ranking], rate_hz=rate_hz)


def _feature(group: Group, *, clock: Clock, choice: RequiredChoice) -> FeatureDraft:
    laid = [paced.laid for paced in group.paced]
    why_optional = choice.reasons.get(group.name) if group.is_active else choice.why_optional(laid)
    return draft_feature(
        group.name,
        group.paced,
        clock=clock,
        is_active=group.is_active,
        why_optional=why_optional,
        remark=group.remark,
    )


def _why_another_clock(clock: ClockChoice) -> str:
    return f"its messages are stamped by another clock than the others' `{clock.clock}`; give it a `clock` of its own to use it"
