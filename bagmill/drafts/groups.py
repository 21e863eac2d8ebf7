"""Candidates → features before anything is known of their company: name, parts, pace."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bagmill.drafts.accounts import fields_without_feature
from bagmill.drafts.candidates import Candidate, Role
from bagmill.drafts.depth_units import recorded_scale
from bagmill.drafts.features import PacedPart
from bagmill.drafts.look import RecordingValues
from bagmill.drafts.naming import camera_names, signal_names
from bagmill.drafts.pace import measure_pace
from bagmill.drafts.part import PartDraft, picture_part
from bagmill.drafts.parts import draft_parts, gripper_beside
from bagmill.drafts.pictures import CameraValues
from bagmill.drafts.roles import is_told, rank
from bagmill.profile import Clock
from bagmill.streams.index import RecordingIndex

_ROLES: tuple[Role, ...] = ("image", "depth", "state", "action", "signal")
_GRIPPER_WORDS = ("gripper", "finger", "hand")
_MOST_FINGERS = 2
_LEAST_SHARED = 0.9


@dataclass(frozen=True, eq=False)
class Group:
    """A feature to be: its parts, each with its pace."""

    name: str
    candidate: Candidate
    """The channel it is made from; the first where there are several."""
    parts: tuple[PartDraft, ...]
    is_active: bool
    end_ns: int
    """When the last message of all that are drafted was."""
    remark: str = ""
    """What else is to be said of it."""
    suffix: str = ""
    """What tells it from the others of its channel, behind the channel's name."""

    @cached_property
    def paced(self) -> tuple[PacedPart, ...]:
        """The parts with what their stamps ask for."""
        return tuple(PacedPart.of(part, end_ns=self.end_ns) for part in self.parts)

    @property
    def rank(self) -> int:
        """How much a timeline is about it; the least comes first."""
        return rank(self.candidate)


def draft_groups(
    candidates: Sequence[Candidate],
    *,
    active: Collection[Candidate],
    clocks: Mapping[int, Clock],
    index: RecordingIndex,
    values: RecordingValues,
) -> tuple[tuple[Group, ...], list[tuple[str, str, str]]]:
    """Make features of every candidate that has a clock.

    Returns:
        The features, and (topic, message type, reason) of every field that is left out because of its values.
    """
    names = _feature_names(candidates)
    # By whichever clock: clocks that are laid on one timeline hardly differ.
    ends = [
        measure_pace(one.stream.time_ns(clocks[one.stream.channel.id])).end_ns
        for one in candidates
        if one.stream.channel.id in clocks
    ]
    end_ns = max(ends, default=0)
    groups: list[Group] = []
    left_out: list[tuple[str, str, str]] = []
    for candidate in sorted(candidates, key=lambda one: _ROLES.index(one.role)):
        channel = candidate.stream.channel
        if channel.id not in clocks:
            continue
        is_active, name = candidate in active, names[channel.id]
        if candidate.role in ("image", "depth"):
            seen = values.cameras.get(channel.id, CameraValues())
            if seen.fitting_share == 0:
                left_out.append((channel.topic, channel.schema_name, f"{seen.problem}, in every picture looked at"))
                continue
            part, remark = _picture(candidate, clock=clocks[channel.id], index=index, values=values)
            groups.append(Group(name, candidate, (with_seen(part, seen),), is_active, end_ns, remark))
            continue
        parts, fields_out = draft_parts(candidate, clock=clocks[channel.id], values=values)
        left_out += [(channel.topic, channel.schema_name, f"`{field}`: {reason}") for field, reason in fields_out]
        others = fields_without_feature(candidate, taken=_fields(parts), left_out=[field for field, _ in fields_out])
        left_out += [(channel.topic, channel.schema_name, f"{fields}: {reason}") for fields, reason in others]
        together = [lasting for of_feature in gripper_beside(parts) for lasting in _by_length(of_feature)]
        for place, of_feature in enumerate(together):
            is_whole = len(together) == 1 or (place == 0 and candidate.role in ("state", "action"))
            suffix = "" if is_whole else _suffix(of_feature)
            whole = f"{name}_{suffix}" if suffix else name
            is_still = all(part.is_still for part in of_feature) and not all(part.is_still for part in parts)
            taken = is_active and not is_still
            groups.append(Group(whole, candidate, of_feature, taken, end_ns, suffix=suffix))
    return tuple(groups), left_out


def _fields(parts: Sequence[PartDraft]) -> list[str]:
    """Paths of what is taken, the numbers that are read as stamps as well."""
    stamps = [part.stamp.field for part in parts if part.stamp is not None and part.clock == "header"]
    return [*(part.field for part in parts if part.field is not None), *stamps]


def _by_length(parts: tuple[PartDraft, ...]) -> list[tuple[PartDraft, ...]]:
    """Parts of one feature that last as long as the longest, and every other by itself: it would cut them short."""
    spans = [measure_pace(part.stamps_ns) for part in parts]
    longest_ns = max(span.end_ns - span.start_ns for span in spans)
    lasts = [span.end_ns - span.start_ns >= _LEAST_SHARED * longest_ns for span in spans]
    lasting = tuple(part for part, does in zip(parts, lasts, strict=True) if does)
    return [lasting, *((part,) for part, does in zip(parts, lasts, strict=True) if not does)]


def with_grippers(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Put a gripper that has a channel of its own beside the joints, where there is one arm and one gripper.

    What robots report goes with what they report, commands with commands; a gripper that does not come as long as the
    joints do stays a feature of its own.
    """
    kept = list(groups)
    for told in (False, True):
        arms = [group for group in kept if group.is_active and is_told(group.candidate) == told and _is_arm(group)]
        hands = [group for group in kept if group.is_active and is_told(group.candidate) == told and _is_hand(group)]
        if len(arms) != 1 or len(hands) != 1 or not _is_as_long(hands[0], arms[0]):
            continue
        arm, hand = arms[0], hands[0]
        part = hand.parts[0]
        if "names" not in part.settings or not _names(part).isdisjoint(*map(_names, arm.parts)):
            part = replace(part, settings={"name": _hand_name(hand.candidate.topic), **part.settings})
        is_alone = sum(group.candidate.role == "state" for group in kept if group is not hand) == 1
        name = "state" if arm.candidate.role == "state" and is_alone else arm.name
        kept[kept.index(arm)] = replace(arm, name=name, parts=(*arm.parts, part))
        kept.remove(hand)
    return tuple(kept)


def _is_arm(group: Group) -> bool:
    if _is_hand(group):
        return False
    if group.candidate.role in ("state", "action"):
        return True
    words = group.candidate.topic.lower()
    return len(group.parts) == 1 and group.parts[0].num_values > _MOST_FINGERS and "joint" in words


def _is_hand(group: Group) -> bool:
    if group.candidate.role in ("image", "depth") or len(group.parts) != 1 or group.parts[0].num_values > _MOST_FINGERS:
        return False
    return any(word in group.candidate.topic.lower() for word in _GRIPPER_WORDS)


def _names(part: PartDraft) -> set[str]:
    names = part.settings.get("names")
    return set(names) if isinstance(names, list) else set()


def _hand_name(topic: str) -> str:
    """The word of a topic that says which hand: `gripper` of `/gripper/position`."""
    words = [re.sub(r"[^A-Za-z0-9_.-]+", "_", word) for word in topic.lower().split("/")]
    return next(word for word in words if any(hand in word for hand in _GRIPPER_WORDS))


def _is_as_long(one: Group, other: Group) -> bool:
    its, time = one.paced[0].pace, other.paced[0].pace
    shared_ns = min(its.end_ns, time.end_ns) - max(its.start_ns, time.start_ns)
    return shared_ns >= _LEAST_SHARED * (time.end_ns - time.start_ns) > 0 and not its.is_irregular


def _suffix(parts: Sequence[PartDraft]) -> str:
    names = parts[0].settings.get("names")
    if isinstance(names, list) and len(names) == 1:
        return re.sub(r"[^A-Za-z0-9_]+", "_", str(names[0])).strip("_") or parts[0].suffix
    return "values" if len(parts) > 1 and parts[0].num_values == 1 else parts[0].suffix


def _picture(
    candidate: Candidate, *, clock: Clock, index: RecordingIndex, values: RecordingValues
) -> tuple[PartDraft, str]:
    part = picture_part(candidate, clock=clock)
    if candidate.role != "depth":
        return part, ""
    recorded = recorded_scale(candidate.stream, index=index, values=values)
    if recorded is not None:
        scale_m, topic = recorded
        return replace(part, settings={"scale_m": scale_m}), f"{scale_m:g} m a count, as {topic} says"
    seen = values.cameras.get(candidate.stream.channel.id, CameraValues())
    if (candidate.stream.content.encoding or "").startswith("32F"):
        scale_m = seen.scale_m or 0.001
        remark = (
            f"metres, stored as counts of {scale_m:g} m, so up to {65535 * scale_m:.0f} m; `scale_m` sets another step"
        )
        return (replace(part, settings={"scale_m": scale_m}) if seen.scale_m is not None else part), remark
    return part, "0.001 m a count is assumed, the convention of 16 bits; where it is another, write `scale_m: 0.0001`"


def with_seen(part: PartDraft, seen: CameraValues) -> PartDraft:
    """A camera's part with what was seen of its pictures."""
    if seen.problem is None:
        return part
    share = f"{100 * (1 - seen.fitting_share):.0f} % of the pictures looked at cannot be used: {seen.problem}"
    return replace(part, notes=(share,), valid_share=seen.fitting_share)


def _feature_names(candidates: Sequence[Candidate]) -> dict[int, str]:
    """Channel id → its feature's name, or the beginning of its features' names."""
    names: dict[int, str] = {}
    for role in _ROLES:
        ids = {one.topic: one.stream.channel.id for one in candidates if one.role == role}
        topics = list(ids)
        if role in ("image", "depth"):
            room = "images" if role == "image" else "depth"
            named = {topic: f"{room}/{name}" for topic, name in camera_names(topics).items()}
        elif role in ("state", "action"):
            # Those of several arms are told apart when it is known which of them are one feature: `with_role_names`.
            named = dict.fromkeys(topics, role)
        else:
            named = signal_names(topics)
        names |= {ids[topic]: name for topic, name in named.items()}
    return names
