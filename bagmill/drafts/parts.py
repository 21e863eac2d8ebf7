"""One channel → the fields of it that become features, each with the rule and the unit that fit its values."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.fields import FieldChoice, choose_fields, choose_joint_fields, is_joint_state, is_trajectory, typed
from bagmill.drafts.joints import measured_joints, with_turning_joints
from bagmill.drafts.look import RecordingValues, WantedField
from bagmill.drafts.naming import is_command
from bagmill.drafts.part import PartDraft
from bagmill.drafts.refine import refine
from bagmill.drafts.rules import is_discrete, is_sliding, type_of_standard
from bagmill.plan.naming import NumbersError
from bagmill.plan.numbers import Numbers, resolve_numbers
from bagmill.profile import Clock, PartSpec
from bagmill.streams.index import Stream


def wanted_fields(candidate: Candidate) -> list[WantedField]:
    """The fields of a channel whose values tell how they are to be drafted."""
    found, _ = _find(candidate)
    return [_wanted(candidate.stream, numbers) for _, numbers in found]


def draft_parts(
    candidate: Candidate, *, clock: Clock, values: RecordingValues
) -> tuple[list[PartDraft], list[tuple[str, str]]]:
    """Draft what becomes of one channel's numbers.

    Args:
        candidate: A channel of numbers.
        clock: The clock it is laid on the timeline by.
        values: What a second look at the recording saw; may be of nothing.

    Returns:
        The parts, and (field, reason) of every field that is left out.
    """
    parts: list[PartDraft] = []
    found, left_out = _find(candidate)
    is_of_joints = is_joint_state(candidate.stream.channel.schema_name) or is_trajectory(
        candidate.stream.channel.schema_name
    )
    for choice, numbers in found:
        if is_of_joints and parts and parts[-1].suffix != choice.suffix:
            break  # where they are is enough: the others are suggested in its comment
        seen = values.fields.get(_wanted(candidate.stream, numbers))
        joints, seen = measured_joints(numbers.joints, seen)
        refined = refine(choice, seen)
        if refined.why_left_out is not None:
            left_out.append((choice.field, refined.why_left_out))
            continue
        settings: dict[str, object] = {}
        notes = refined.notes
        if joints:
            # Spelled out, so that another recording cannot change which joints are meant, or their order.
            settings["names"] = list(joints)
        if len(joints) < len(numbers.joints):
            without = ", ".join(joint for joint in numbers.joints if joint not in joints)
            notes += (f"{without}: nan in every message, and left out",)
        if any(is_sliding(joint) for joint in joints) and choice.units:
            notes += (f"{choice.units} where a joint turns, another unit where it slides: `units` is left to you",)
        elif choice.units:
            settings["units"] = choice.units
        is_told = candidate.role == "action" or is_command(candidate.topic)
        rule = "latest" if is_told and refined.rule in ("linear", "angle") else refined.rule
        part = PartDraft(
            stream=candidate.stream,
            field=choice.field if refined.num_taken is None else f"{choice.field}[0:{refined.num_taken}]",
            suffix=choice.suffix,
            rule=rule,
            clock=clock,
            rows=numbers.rows(candidate.stream),
            stamp=values.stamps.get(candidate.topic),
            num_values=refined.num_taken or len(joints) or choice.num_values,
            settings={**settings, **refined.settings},
            notes=notes,
            is_discrete=is_discrete(choice.field, choice.type_name) or refined.rule == "latest",
            is_still=choice.is_element and seen is not None and seen.is_constant,
            valid_share=refined.valid_share,
        )
        parts += with_turning_joints(part, seen, descriptions=values.texts.values())
    return parts, left_out


def gripper_beside(parts: Sequence[PartDraft]) -> list[tuple[PartDraft, ...]]:
    """Parts of one message as features: a gripper's number goes with the joints it is beside, other single numbers together."""
    fields = [part.field for part in parts]
    vectors = [part for part in parts if part.num_values > 1 or fields.count(part.field) > 1]
    scalars = [part for part in parts if part not in vectors]
    by_field: dict[str | None, list[PartDraft]] = {}
    for vector in vectors:
        by_field.setdefault(vector.field, []).append(vector)
    groups = list(by_field.values())
    for group in groups:
        partners = [one for one in scalars if _belongs_to(one, group[0])]
        scalars = [one for one in scalars if one not in partners]
        group.extend(partners)
    return [tuple(group) for group in groups] + ([tuple(scalars)] if scalars else [])


def _belongs_to(scalar: PartDraft, vector: PartDraft) -> bool:
    """`gripper_position` belongs to `joint_positions`, `gripper_velocity` to `joint_velocities`."""
    hand, joints = (scalar.field or "").lower(), (vector.field or "").lower()
    if not any(word in hand for word in ("gripper", "finger", "hand")):
        return False
    if "joint" not in joints and joints not in ("position", "positions", "q", "qpos"):
        return False
    kinds = ("vel", "effort", "torque", "current", "force", "acc")
    return next((kind for kind in kinds if kind in hand), "pos") == next((k for k in kinds if k in joints), "pos")


def _find(candidate: Candidate) -> tuple[list[tuple[FieldChoice, Numbers]], list[tuple[str, str]]]:
    """The fields chosen, each with the messages and the names that it has there, and why others are not."""
    choices, without = _choices(candidate)
    left_out = list(without)
    found: list[tuple[FieldChoice, Numbers]] = []
    for choice in choices:
        topic = candidate.topic
        try:
            pieces = resolve_numbers(PartSpec(channel=topic, field=choice.field), candidate.stream)
        except NumbersError as err:
            left_out.append((choice.field, str(err)))
            continue
        for numbers in pieces:
            type_name = next(iter(numbers.types)) if len(numbers.types) == 1 else None
            if choice.field == "data":
                type_name = type_of_standard(candidate.stream.channel.schema_name) or type_name
            found.append((typed(choice, type_name, num_values=len(numbers.names), topic=topic), numbers))
    return found, left_out


def _choices(candidate: Candidate) -> tuple[tuple[FieldChoice, ...], tuple[tuple[str, str], ...]]:
    content, channel = candidate.stream.content, candidate.stream.channel
    inside = "points[0]." if is_trajectory(channel.schema_name) else ""
    if candidate.role in ("state", "action") or inside:
        choices = choose_joint_fields(content.fields, num_joints=len(content.names), inside=inside)
        if choices:
            return choices, ()
    return choose_fields(candidate.stream)


def _wanted(stream: Stream, numbers: Numbers) -> WantedField:
    return WantedField(stream.channel.id, numbers.field, numbers.joints, numbers.rows(stream))
