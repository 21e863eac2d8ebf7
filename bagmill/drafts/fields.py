"""Which numbers of a message are worth a feature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bagmill.drafts.elements import ElementField, element_fields, find_lists
from bagmill.drafts.inventory import innermost, is_bookkeeping, is_stamp_name
from bagmill.drafts.rules import is_measured, rule_of_field
from bagmill.drafts.units import units_of_field
from bagmill.streams.index import Stream

_ONLY = {"LaserScan": ("ranges",), "MultiEchoLaserScan": ("ranges",), "Range": ("range",)}
"""Types of which but one field is data; the others say how it was measured."""
_TELLING_NOTHING = ("data", "value", "values", "x", "y", "z", "vector")
MOST_FIELDS = 32
"""A channel with more of them is a status, of which nobody trains on everything."""


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """One field of a message that becomes a feature, or a part of one."""

    field: str
    num_values: int
    suffix: str
    """What it is called behind its channel's name where the channel gives several features."""
    rule: str
    units: str | None
    type_name: str | None = None
    """`bool`, `int32`, `float64`…; None where it is not known, or differs inside the field."""
    leaf: str = ""
    """The field inside an element of a list of messages; empty where it is in none."""
    is_element: bool = False
    """It is one element's of a list, chosen by what the element calls itself."""
    num_each: int = 0
    """Across the elements of a list: how many numbers each of them holds; 0 elsewhere."""


def is_joint_state(schema_name: str) -> bool:
    """Messages that name their joints."""
    return schema_name.rsplit("/", 1)[-1] == "JointState"


def is_trajectory(schema_name: str) -> bool:
    """Commands of joints as points in time; the first is where they go next."""
    return schema_name.rsplit("/", 1)[-1] == "JointTrajectory"


def choose_joint_fields(fields: Mapping[str, int], *, num_joints: int, inside: str = "") -> tuple[FieldChoice, ...]:
    """The fields that say where the joints are, how fast they move, how hard they push: the first with values is taken.

    Args:
        fields: Path → how many numbers, as the inventory gives them.
        num_joints: How many joints the messages name; 0 where they name none.
        inside: What the fields' paths begin with: `points[0].`.
    """
    units = {"position": "rad", "velocity": "rad/s", "effort": "N·m"}
    plurals = {"position": "positions", "velocity": "velocities", "effort": "effort"}
    paths = {field: f"{inside}{plurals[field] if inside else field}" for field in units}
    return tuple(
        FieldChoice(path, fields[path], field, "linear", units[field])
        for field, path in paths.items()
        if fields.get(path, 0) and (not num_joints or fields[path] == num_joints)
    )


def choose_fields(stream: Stream) -> tuple[tuple[FieldChoice, ...], tuple[tuple[str, str], ...]]:
    """The fields of a channel's messages that tell of the robot or the world, vectors first, bookkeeping left out.

    Returns:
        The fields, and (field, reason) of what would be one but for a reason. Both are empty where nothing is left, or so
        much that nobody could want all of it.
    """
    channel = stream.channel
    lists = find_lists(stream)
    outside = {
        path: size
        for path, size in innermost(stream.content.fields).items()
        if not any(path == one.path or path.startswith((f"{one.path}[", f"{one.path}.")) for one in lists)
    }
    choices = list(choose_plain(outside, schema_name=channel.schema_name, topic=channel.topic))
    left_out: list[tuple[str, str]] = []
    for found in lists:
        if is_bookkeeping(found.path):
            continue
        fields, why = element_fields(found)
        left_out += [(found.path, why)] if why is not None else []
        choices += [_of_element(one, channel.schema_name) for one in fields]
    return tuple(choices), tuple(left_out)


def choose_plain(fields: Mapping[str, int], *, schema_name: str = "", topic: str = "") -> tuple[FieldChoice, ...]:
    """Choose among fields that are in no list.

    Args:
        fields: Path → how many numbers; every number once.
        schema_name: The messages' type.
        topic: Theirs: what `data` is, it alone tells.

    Returns:
        Empty where nothing is left, or so much that nobody could want all of it.
    """
    kind = re.split(r"[/.]", schema_name)[-1]
    if kind in _ONLY:
        fields = {path: size for path, size in fields.items() if path in _ONLY[kind]}
    telling = {
        path: size
        for path, size in fields.items()
        if size and not is_bookkeeping(path) and not (size == 1 and is_stamp_name(path))
    }
    chosen = {path: size for path, size in telling.items() if size > 1} | telling
    if len(chosen) > MOST_FIELDS:
        chosen = {path: size for path, size in chosen.items() if is_measured(path)}
    if len(chosen) > MOST_FIELDS:
        return ()
    suffixes = _suffixes(list(chosen))
    return tuple(
        FieldChoice(
            path,
            size,
            suffixes[path],
            rule_of_field(_telling_path(path, topic), size),
            units_of_field(path, schema_name=schema_name),
        )
        for path, size in chosen.items()
    )


def typed(choice: FieldChoice, type_name: str | None, *, num_values: int, topic: str) -> FieldChoice:
    """The same choice, its rule chosen by what is recorded there.

    Args:
        choice: By its name.
        type_name: `bool`, `int32`, `float64`…; None where it is not known, or differs inside the field.
        num_values: How many numbers it holds.
        topic: Of its channel.
    """
    path = _telling_path(choice.leaf or choice.field, topic)
    rule = rule_of_field(path, choice.num_each or num_values, type_name=type_name)
    return replace(choice, type_name=type_name, num_values=num_values, rule=rule)


def _of_element(one: ElementField, schema_name: str) -> FieldChoice:
    suffix = "_".join(filter(None, (one.element, one.leaf.rsplit(".", 1)[-1])))
    return FieldChoice(
        field=one.field,
        num_values=one.num_values,
        suffix=re.sub(r"[^A-Za-z0-9_]+", "_", suffix).strip("_").lower(),
        rule=rule_of_field(one.leaf, one.num_each),
        units=units_of_field(one.leaf, schema_name=schema_name),
        leaf=one.leaf,
        is_element=bool(one.element),
        num_each=one.num_each,
    )


def _telling_path(path: str, topic: str) -> str:
    """A path whose last word says what the numbers are: the topic's, where the field's own says nothing."""
    return topic.rsplit("/", 1)[-1] if topic and path.lower() in _TELLING_NOTHING else path


def _suffixes(paths: list[str]) -> dict[str, str]:
    """The last word of every path, with the one before it where two end alike."""
    last = {path: re.sub(r"[^A-Za-z0-9_]+", "_", path.rsplit(".", 1)[-1]).strip("_").lower() for path in paths}
    whole = {path: re.sub(r"[^A-Za-z0-9_]+", "_", path).strip("_").lower() for path in paths}
    return {path: last[path] if list(last.values()).count(last[path]) == 1 else whole[path] for path in paths}
