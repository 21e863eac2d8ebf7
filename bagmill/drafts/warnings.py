"""What nobody should train without knowing: half a robot, a camera that is not there, pictures that are not used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.checks import CheckDraft
from bagmill.drafts.clock import ClockChoice, listed
from bagmill.drafts.groups import Group
from bagmill.drafts.required import LEAST_WIDENED, RequiredChoice
from bagmill.drafts.roles import is_told
from bagmill.recordings import Fault

_SKIPPED_FROM = 1.5


def warn(
    groups: Sequence[Group],
    *,
    clock: ClockChoice,
    choice: RequiredChoice,
    checks: Sequence[CheckDraft],
    faults: Sequence[Fault],
    rate_hz: Fraction,
    missed: Iterable[str],
    observed: Sequence[Candidate],
) -> Iterator[str]:
    """One sentence for everything that a draft lacks or leaves unused.

    Args:
        groups: Its features.
        clock: The profile's.
        choice: Which of them are required.
        checks: Those that it would widen to let the recording pass.
        faults: Of the recording's file.
        rate_hz: Ticks a second.
        missed: What is said of the cameras and commands that no feature is made of.
        observed: Channels that were taken for want of an observation.
    """
    active = [group for group in groups if group.is_active]
    if clock.problem is not None:
        yield (
            f"No clock of this recording is sound: {clock.problem}. `bagmill ingest` refuses it, for sensors would be laid "
            "beside other moments: cut it there."
        )
    yield from missed
    if observed:
        topics = listed([candidate.topic for candidate in observed])
        yield f"No channel is known as an observation by its name or type; {topics} is taken as one, beside the action."
    elif all(is_told(group.candidate) for group in active):
        yield "There is an action and no observation: a policy could not learn anything from this recording."
    for group in active:
        pace = group.paced[0].pace
        if group.candidate.role in ("image", "depth") and pace.rate_hz >= _SKIPPED_FROM * float(rate_hz):
            yield (
                f"1 of {pace.rate_hz / float(rate_hz):.2g} pictures of {group.name} is used: they come at "
                f"{pace.rate_hz:.3g} Hz, the timeline has {float(rate_hz):g} ticks a second."
            )
        if 2 * pace.num_repeated >= pace.num_messages > 1:
            yield (
                f"{pace.num_repeated} of {pace.num_messages} messages of {group.name} carry the stamp of another, by every "
                f"clock that is sound: the last of each stamp is used, {100 * pace.num_stamps / pace.num_messages:.0f} % of them."
            )
        if (
            choice.span == "overlap"
            and group.name in choice.reasons
            and group.candidate.role in ("image", "depth", "state", "action")
        ):
            yield f"The feature {group.name} is not there all the time: it {_verb(choice.reasons[group.name])}."
    facts = (check.why.partition(";")[0] for check in checks if check.name != "episode_coverage")
    yield from (f"{fact[:1].upper()}{fact[1:]}." for fact in facts)
    if choice.span == "union":
        yield "No feature lasts for most of the recording: ticks reach from the first to the last, and most lack some feature."
    share = choice.covered.get(choice.leading, 1.0)
    if _pauses_too_long(choice):
        yield (
            f"The feature {choice.leading} covers {100 * share:.0f} % of its own time, so that the check `tick_coverage` "
            "refuses this recording: cut it where it pauses, or train on another channel."
        )
    if errors := _errors(faults):
        yield (
            f"The file is damaged, so that the check `container_intact` refuses it ({errors[0].rstrip('.')}); "
            "`salvage: true` in the profile, or `bagmill ingest --salvage`, makes an episode of what is whole, and "
            "`bagmill recover` writes it as a clean MCAP file."
        )


def is_refused_anyway(clock: ClockChoice, *, choice: RequiredChoice, faults: Sequence[Fault]) -> bool:
    """Whether ingest refuses the recording for what no profile mends; the warnings say so."""
    return clock.problem is not None or _pauses_too_long(choice) or bool(_errors(faults))


def _pauses_too_long(choice: RequiredChoice) -> bool:
    return choice.covered.get(choice.leading, 1.0) < LEAST_WIDENED


def _errors(faults: Sequence[Fault]) -> list[str]:
    return [fault.message for fault in faults if fault.severity == "error"]


def _verb(reason: str) -> str:
    return reason if reason.startswith(("covers", "starts", "ends")) else f"is {reason}"
