"""Parts → a feature as it is to be written down, with the settings that fit how its messages come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bagmill.drafts.pace import Pace, measure_pace, say_pace
from bagmill.drafts.part import PartDraft
from bagmill.drafts.required import LaidPart
from bagmill.drafts.tolerance import tolerance_ms
from bagmill.profile import Clock

_MANY_PARTS = 2
_SHAREABLE = ("units", "rule", "tolerance_ms", "clock", "stamp", "expected_rate_hz", "nan", "infinity")
"""What a part takes from its feature where it does not say otherwise."""


@dataclass(frozen=True, slots=True)
class FeatureDraft:
    """One feature, as it is to be written down."""

    name: str
    parts: tuple[Mapping[str, object], ...]
    """What a profile says of every part, in the order it is written; pictures have one."""
    comment: str
    """What the recording has there."""
    is_active: bool
    """False: a suggestion, written as a comment."""
    is_required: bool = True

    @property
    def settings(self) -> Mapping[str, object] | Sequence[Mapping[str, object]]:
        """The feature as a profile takes it: one part's settings, or a list of parts, or a mapping that holds one.

        What many parts have in common is said once for all of them.
        """
        shared: dict[str, object] = {} if self.is_required else {"required": False}
        if len(self.parts) == 1:
            return {**self.parts[0], **shared}
        common = {key: value for key, value in self._common.items() if len(self.parts) > _MANY_PARTS}
        if not shared and not common:
            return list(self.parts)
        parts = [{key: value for key, value in part.items() if key not in common} for part in self.parts]
        return {"parts": parts, **common, **shared}

    @property
    def _common(self) -> Mapping[str, object]:
        first = self.parts[0]
        return {
            key: first[key]
            for key in _SHAREABLE
            if key in first and all(part.get(key) == first[key] for part in self.parts)
        }

    @property
    def channels(self) -> tuple[str, ...]:
        """The topics it is made from."""
        return tuple(dict.fromkeys(str(part["channel"]) for part in self.parts))


@dataclass(frozen=True, slots=True, eq=False)
class PacedPart:
    """A part with what its stamps ask for."""

    part: PartDraft
    pace: Pace
    tolerance_ms: float

    @classmethod
    def of(cls, part: PartDraft, *, end_ns: int) -> PacedPart:
        """Measure a part's stamps.

        Args:
            part: The part.
            end_ns: When the last message of all that are drafted was.
        """
        pace = measure_pace(part.stamps_ns)
        until_ns = end_ns if part.is_discrete else None
        return cls(part, pace, tolerance_ms(pace, rule=part.rule, lasts_until_ns=until_ns))

    @property
    def laid(self) -> LaidPart:
        """As `choose_required` tries it."""
        part = self.part
        return LaidPart(part.stamps_ns, part.rule, round(self.tolerance_ms * 1e6), valid_share=part.valid_share)

    def settings(self, *, clock: Clock) -> dict[str, object]:
        """As a profile takes them, in the order they are written.

        Args:
            clock: The profile's: only another one has to be said.
        """
        part = self.part
        given: dict[str, object] = {"channel": part.stream.channel.topic}
        if part.field is not None:
            given["field"] = part.field
        given |= part.settings
        if part.field is not None:
            given["rule"] = part.rule
        given["tolerance_ms"] = self.tolerance_ms
        if part.clock != clock:
            given["clock"] = part.clock
        if part.clock == "header" and part.stamp is not None:
            # Only the unit and the epoch that are not a profile's own.
            given["stamp"] = part.stamp.model_dump(exclude_defaults=True)
        # The check of rates counts all messages of a channel, whoever's they are.
        if self.pace.expected_rate_hz is not None and len(part.rows) == part.stream.num_messages:
            given["expected_rate_hz"] = self.pace.expected_rate_hz
        return given


def draft_feature(
    name: str, parts: Sequence[PacedPart], *, clock: Clock, is_active: bool, why_optional: str | None, remark: str = ""
) -> FeatureDraft:
    """Write a feature down.

    Args:
        name: Its name.
        parts: What it is made from.
        clock: The profile's.
        is_active: Taken, not only suggested.
        why_optional: Why an episode may lack it; None where it may not.
        remark: What else is to be said.
    """
    comment = "; ".join(_comments(parts, why_optional, remark))
    settings = tuple(part.settings(clock=clock) for part in parts)
    return FeatureDraft(name, settings, comment, is_active, is_required=why_optional is None)


def _comments(parts: Sequence[PacedPart], why_optional: str | None, remark: str) -> Iterator[str]:
    num_values: dict[tuple[int, int], int] = {}
    for paced in parts:
        num_values[_messages(paced)] = num_values.get(_messages(paced), 0) + paced.part.num_values
    described = {
        _messages(paced): _describe(paced, num_values=num_values[_messages(paced)]) for paced in reversed(parts)
    }
    yield from reversed(described.values())
    yield from dict.fromkeys(note for paced in parts for note in paced.part.notes)
    if any(paced.part.is_discrete and not paced.pace.is_regular for paced in parts):
        yield "counts until the next message"
    if why_optional is not None:
        yield f"{why_optional}: not required"
    if remark:
        yield remark


def _describe(paced: PacedPart, *, num_values: int) -> str:
    part = paced.part
    if part.field is None:
        content = part.stream.content
        return f"{content.width}×{content.height} {content.encoding}, {say_pace(paced.pace)}"
    values = f"{num_values} value{'' if num_values == 1 else 's'}"
    return f"{part.stream.channel.schema_name}, {values}, {say_pace(paced.pace)}"


def _messages(paced: PacedPart) -> tuple[int, int]:
    """What tells the messages of one publisher from those of another."""
    return paced.part.stream.channel.id, len(paced.part.rows)
