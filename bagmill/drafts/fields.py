"""Which numbers of a message are worth a feature, and how each is to be laid on a timeline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BOOKKEEPING = re.compile(
    r"(^|[._])(header|stamp|sec|nanosec|nsecs|secs|seq|sequence|covariance|variance|timestamp|layout|frame_id|id|status|service"
    r"|counter|quality|flags?|position_covariance_type|valid|reset|num)([._\[]|$)",
    re.IGNORECASE,
)
_NOT_TRAINED_ON = {
    "tf2_msgs/msg/TFMessage": "transforms of many frames in one channel; take poses from a channel of their own",
    "tf/msg/tfMessage": "transforms of many frames in one channel; take poses from a channel of their own",
    "sensor_msgs/msg/CameraInfo": "a camera's calibration, the same in every message",
    "rcl_interfaces/msg/Log": "log lines",
    "rosgraph_msgs/msg/Log": "log lines",
    "rosgraph_msgs/msg/Clock": "the clock itself",
    "rcl_interfaces/msg/ParameterEvent": "parameters",
    "diagnostic_msgs/msg/DiagnosticArray": "diagnostics",
    "diagnostic_msgs/msg/DiagnosticStatus": "diagnostics",
    "diagnostic_msgs/msg/KeyValue": "diagnostics",
}
_QUATERNION = re.compile(r"(^|[._])(orientation|rotation|quaternion|quat|q)$", re.IGNORECASE)
_ANGLE = re.compile(r"(^|[._])(theta|yaw|heading)$", re.IGNORECASE)
_UNITS = (
    (re.compile(r"(^|[._])angular(_velocity)?$", re.IGNORECASE), "rad/s"),
    (re.compile(r"(^|[._])linear_acceleration$", re.IGNORECASE), "m/s²"),
    (re.compile(r"(^|[._])(linear|linear_velocity)$", re.IGNORECASE), "m/s"),
    (re.compile(r"(^|[._])(position|translation)$", re.IGNORECASE), "m"),
)
_MOST_FIELDS = 6
"""A channel with more of them is a status, of which nobody trains on everything."""


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """One field of a message that becomes a feature."""

    field: str
    num_values: int
    suffix: str
    """What it is called behind its channel's name where the channel gives several features."""
    rule: str
    units: str | None


def why_not_trained_on(schema_name: str) -> str | None:
    """Why messages of a type are no feature though they hold numbers; None where nothing speaks against them."""
    return _NOT_TRAINED_ON.get(schema_name)


def is_joint_state(schema_name: str) -> bool:
    """Messages that name their joints."""
    return schema_name.rsplit("/", 1)[-1] == "JointState"


def choose_joint_field(fields: Mapping[str, int], *, num_joints: int) -> FieldChoice | None:
    """The field that says where the joints are, else how fast they move, else how hard they push."""
    for field, units in (("position", "rad"), ("velocity", "rad/s"), ("effort", "N·m")):
        if fields.get(field, 0) and (not num_joints or fields[field] == num_joints):
            return FieldChoice(field, fields[field], field, "linear", units)
    return None


def choose_fields(fields: Mapping[str, int]) -> tuple[FieldChoice, ...]:
    """The fields of a message that tell of the robot or the world: vectors before single numbers, bookkeeping left out.

    Args:
        fields: Path → how many numbers, as the inventory gives them.

    Returns:
        Empty where nothing is left, or so much that nobody could want all of it.
    """
    telling = {path: size for path, size in fields.items() if size and not _BOOKKEEPING.search(path)}
    inner = innermost(telling)
    vectors = {path: size for path, size in inner.items() if size > 1}
    scalars = {path: size for path, size in inner.items() if size == 1}
    chosen = list((vectors or scalars).items())
    if len(chosen) > _MOST_FIELDS:
        return ()
    suffixes = _suffixes([path for path, _ in chosen])
    return tuple(
        FieldChoice(
            field=path,
            num_values=size,
            suffix=suffixes[path],
            rule=_rule(path, size),
            units=next((units for pattern, units in _UNITS if pattern.search(path) and size == 3), None),
        )
        for path, size in chosen
    )


def innermost(fields: Mapping[str, int]) -> dict[str, int]:
    """Every number once: vectors as deep inside as there are any, and single numbers that are in none of them.

    An inventory lists composites beside their parts; of `pose` (7), `pose.position` (3) and `pose.position.x` (1), it
    is the second that one would name.
    """
    vectors = {
        path: size
        for path, size in fields.items()
        if size > 1 and not any(other > 1 and _is_inside(inner, path) for inner, other in fields.items())
    }
    return {
        path: size
        for path, size in fields.items()
        if path in vectors or (size == 1 and not any(_is_inside(path, vector) for vector in vectors))
    }


def _is_inside(path: str, composite: str) -> bool:
    return path.startswith((f"{composite}.", f"{composite}["))


def _rule(path: str, num_values: int) -> str:
    if num_values == 4 and _QUATERNION.search(path):
        return "slerp"
    return "angle" if num_values == 1 and _ANGLE.search(path) else "linear"


def _suffixes(paths: list[str]) -> dict[str, str]:
    """The last word of every path, with the one before it where two end alike."""
    last = {path: re.sub(r"[^A-Za-z0-9_]+", "_", path.rsplit(".", 1)[-1]).strip("_").lower() for path in paths}
    whole = {path: re.sub(r"[^A-Za-z0-9_]+", "_", path).strip("_").lower() for path in paths}
    return {path: last[path] if list(last.values()).count(last[path]) == 1 else whole[path] for path in paths}
