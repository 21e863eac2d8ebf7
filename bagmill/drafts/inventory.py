"""Which numbers of a message are worth a look: every one once, and none that only keeps the books."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BOOKKEEPING = re.compile(
    r"(^|[._])(header|stamp|sec|nanosec|nsecs|secs|seq|sequence|covariance|variance|timestamps?|layout|frame_id|id|uuid|status"
    r"|service|counter|quality|flags?|position_covariance_type|valid|reset|num|crc|checksum|reserved|version"
    r"|time_from_start|time_increment|scan_time|dt|duration|is_bigendian)([._\[]|$)",
    re.IGNORECASE,
)
_STAMP_NAME = re.compile(
    r"(time_?stamp|stamp|time|ts|utime|t|timestamp_sample|(time_?stamp|time|stamp)_(s|sec|secs|ms|msec|us|usec|ns|nsec|nanos))",
    re.IGNORECASE,
)
_AXES = ("x", "y", "z", "w")


def is_bookkeeping(path: str) -> bool:
    """Whether a field tells of the message and not of the robot: stamps, counters, covariances.

    >>> is_bookkeeping("pose.covariance"), is_bookkeeping("pose.position")
    (True, False)
    """
    return bool(_BOOKKEEPING.search(path))


def is_stamp_name(path: str) -> bool:
    """Whether a single number may be the message's stamp, by its name.

    >>> is_stamp_name("timestamp"), is_stamp_name("info.time_us"), is_stamp_name("torque")
    (True, True, False)
    """
    return bool(_STAMP_NAME.fullmatch(path.rsplit(".", 1)[-1]))


def innermost(fields: Mapping[str, int]) -> dict[str, int]:
    """Every number once: vectors as deep inside as there are any, and single numbers that are in none of them.

    An inventory lists composites beside their parts; of `pose` (7), `pose.position` (3) and `pose.position.x` (1), it
    is the second that one would name. Single numbers side by side are a vector where they are its axes: a `theta` beside
    `x` and `y` is none, and is to be laid on a timeline by a rule of its own.
    """
    vectors = {path: size for path, size in fields.items() if size > 1 and _is_vector(path, fields)}
    return {
        path: size
        for path, size in fields.items()
        if path in vectors
        or (
            size == 1
            and not any(_is_inside(path, vector) for vector in vectors)
            and not any(_is_inside(inner, path) for inner in fields)
        )
    }


def _is_vector(path: str, fields: Mapping[str, int]) -> bool:
    inside = {inner: size for inner, size in fields.items() if _is_inside(inner, path)}
    if any(size > 1 for size in inside.values()):
        return False
    return all(inner.rsplit(".", 1)[-1] in _AXES for inner in inside)


def _is_inside(path: str, composite: str) -> bool:
    return path.startswith((f"{composite}.", f"{composite}["))
