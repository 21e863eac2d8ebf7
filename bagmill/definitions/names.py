"""Names of ROS message types, and how a name without a package is understood."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

UNNAMED_PACKAGE: Final = "unnamed"
"""Stands for the package of a type that was recorded without one."""
BUILT_IN: Final = frozenset(f"{word}int{bits}" for word in ("", "u") for bits in (8, 16, 32, 64)) | frozenset(
    {"bool", "byte", "char", "octet", "string", "wstring", "float32", "float64"}
)
"""Types that need no definition."""
_TIMES: Final = {"time": "builtin_interfaces/msg/Time", "duration": "builtin_interfaces/msg/Duration"}
_HEADERS: Final = frozenset({"std_msgs/msg/Header", "roslib/msg/Header"})
HEADER: Final = "std_msgs/msg/Header"


def full_name(name: str) -> str:
    """`sensor_msgs/Image`, as ROS 1 and some ROS 2 writers have it, in its full form `sensor_msgs/msg/Image`."""
    package, slash, message = name.partition("/")
    return f"{package}/msg/{message}" if slash and package and message and "/" not in message else name


def package_of(name: str) -> str:
    """The package in a type's name; `UNNAMED_PACKAGE` where it has none."""
    return name.partition("/")[0] if "/" in name else UNNAMED_PACKAGE


def own_name(name: str, *, package: str) -> str:
    """The full name of a type that is defined under a name which may lack its package."""
    return full_name(name) if "/" in name else f"{package}/msg/{name}"


class KnownNames:
    """Full names of types that are defined together, found by the whole name and by its last part."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._by_last: dict[str, list[str]] = {}
        for name in self._names:
            self._by_last.setdefault(name.rpartition("/")[2], []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def only_one(self, last: str) -> str | None:
        """The only type whose name ends so; None where there is none, or more than one."""
        found = self._by_last.get(last, [])
        return found[0] if len(found) == 1 else None


def referred_name(reference: str, *, package: str, known: KnownNames) -> str:
    """The full name of the type that a field refers to.

    A type of the same package comes first, then `Header`, which is std_msgs', then the only known type of that name.

    Args:
        reference: As the field has it: `geometry_msgs/Pose`, `Pose`, `Header`, `time`, `float64`.
        package: Of the definition that the field stands in.
        known: The types that are defined beside it.
    """
    if reference in BUILT_IN:
        return reference
    if reference in _TIMES:
        return _TIMES[reference]
    if "/" in reference:
        name = full_name(reference)
        return HEADER if name in _HEADERS else name
    of_package = f"{package}/msg/{reference}"
    if of_package in known:
        return of_package
    if reference == "Header":
        return HEADER
    return known.only_one(reference) or of_package
