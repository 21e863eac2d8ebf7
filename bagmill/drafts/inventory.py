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

_ENDS = re.compile(r"[.\[]")


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
    composites, no_vectors = _composites(fields)
    vectors = {path for path, size in fields.items() if size > 1 and path not in no_vectors}
    return {
        path: size
        for path, size in fields.items()
        if path in vectors or (size == 1 and path not in composites and vectors.isdisjoint(_around(path)))
    }


def _composites(fields: Mapping[str, int]) -> tuple[set[str], set[str]]:
    """What fields lie inside of, and which of it is no vector: a vector lies in it, or what is none of a vector's axes."""
    composites: set[str] = set()
    no_vectors: set[str] = set()
    for inner, size in fields.items():
        around = _around(inner)
        composites.update(around)
        if size > 1 or inner.rsplit(".", 1)[-1] not in _AXES:
            no_vectors.update(around)
    return composites, no_vectors


def _around(path: str) -> list[str]:
    """What a path lies inside of: of `a.b[0]`, `a` and `a.b`."""
    return [path[: end.start()] for end in _ENDS.finditer(path)]
