"""How a field is to be laid on a timeline, as its name and its type tell."""

from __future__ import annotations

import re

_QUATERNION = re.compile(r"(^|[._])(orientation|rotation|quaternion|quat|q|attitude)(_?[a-z]?|_[a-z]+)$", re.IGNORECASE)
_QUATERNION_PART = re.compile(
    r"(^|[._])(q[0-3wxyz]|q_[0-3wxyz]|(quat|quaternion|orientation|rotation)[._]?[0-3wxyz])$", re.IGNORECASE
)
_ANGLE = re.compile(
    r"(^|[._])(theta|psi|phi|yaw|pitch|roll|heading|bearing|azimuth|course|rpy|euler(_angles?)?|(\w+_)?angles?)$",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"[._](deg|degrees?)$", re.IGNORECASE)
_RANGE = re.compile(r"(^|[._])(ranges?|distances?|intensities)$", re.IGNORECASE)
_DISCRETE = re.compile(
    r"(^|[._])(mode|event|events|button|buttons|enabled?|disabled?|is|has|open|opened|closed|gear|phase|success|failure|done"
    r"|pressed|active|engaged|grasped|code|error_code|estop|step_type|label|class|id|index)([._]|$)",
    re.IGNORECASE,
)
_MEASURED = re.compile(
    r"(^|[._])([xyz]|[vaw][xyz]|linear|angular|\w*(velocity|speed|position|acceleration|force|torque|effort|angle|altitude"
    r"|latitude|longitude|temperature|voltage|current|power|pressure|width|distance|height))([._]|$)",
    re.IGNORECASE,
)
_SLIDING = re.compile(r"finger|grip|prismatic|slid|lift|rail|linear|jaw|torso|telescop|extension", re.IGNORECASE)
_STANDARD = re.compile(r"(std_msgs/(msg/)?)?(?P<type>Bool|U?Int(8|16|32|64)|Float(32|64))(MultiArray)?")
_WHOLE_TYPES = ("bool", "int", "uint")


def rule_of_field(path: str, num_values: int, *, type_name: str | None = None) -> str:
    """The alignment rule for a field.

    Args:
        path: Of the field.
        num_values: How many numbers it holds.
        type_name: `bool`, `int32`, `float64`…, where it is known.

    >>> rule_of_field("pose.orientation", 4), rule_of_field("ranges", 360), rule_of_field("data", 1, type_name="bool")
    ('slerp', 'nearest', 'latest')
    """
    if num_values == 4 and _QUATERNION.search(path):
        return "slerp"
    if type_name is not None and type_name.startswith(_WHOLE_TYPES):
        return "latest"
    if _RANGE.search(path) or _DEGREES.search(path) or _QUATERNION_PART.search(path):
        return "nearest"
    if num_values == 1 and _DISCRETE.search(path):
        return "latest"
    return "angle" if num_values <= 3 and _ANGLE.search(path) else "linear"


def type_of_standard(schema_name: str) -> str | None:
    """The type of `data` in a message of one number or of many, as its own name says; JSON does not tell whole numbers.

    >>> type_of_standard("std_msgs/msg/Int32"), type_of_standard("std_msgs/msg/Float64MultiArray")
    ('int32', 'float64')
    """
    match = _STANDARD.fullmatch(schema_name)
    return None if match is None else match["type"].lower()


def is_sliding(joint: str) -> bool:
    """Whether a joint may be one that slides, by its name: its position is in metres then, not in radians."""
    return bool(_SLIDING.search(joint))


def is_discrete(path: str, type_name: str | None) -> bool:
    """Whether a field tells of states that last until the next message: switches, modes, events."""
    return bool(_DISCRETE.search(path)) or (type_name or "").startswith(_WHOLE_TYPES)


def is_measured(path: str) -> bool:
    """Whether a field tells of a quantity, which is one even where it happens to be whole all the time."""
    return bool(_MEASURED.search(path))
