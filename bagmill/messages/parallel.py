"""Lists that run parallel to a list of names: which names a message gives to the numbers at a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bagmill.messages.field_path import ID_LISTS, NAME_LISTS, FieldPath, descend, pick, plain_text
from bagmill.messages.tree import child, children, is_list

_IN_TIME: Final = ("points", "waypoints", "multi_dof_points")
"""Lists whose elements follow each other in time."""
OWN_NAMES: Final = ("name", "joint_name", "child_frame_id", "id")
"""Fields by which an element of a list names itself."""


def joint_names(message: Any) -> tuple[str, ...]:
    """The list of names that a message holds, in its order; empty where it has none, or not each a name of its own.

    Args:
        message: From a message decoder.
    """
    names = listed_names(message)
    return names if all(names) and len(set(names)) == len(names) else ()


def listed_names(message: Any) -> tuple[str, ...]:
    """The list of names that a message holds, in its order, though some may repeat or be empty; empty where it has none.

    It is a list of texts, whatever it is called: `name`, `joint_names`, `actuators`; else one of whole numbers that is
    called `…ids`.

    Args:
        message: From a message decoder.
    """
    found: dict[str, tuple[str, ...]] = {}
    for field, part in children(message) or ():
        if not is_list(part) or not len(part):
            continue
        if all(isinstance(item, str) for item in part):
            found[field] = tuple(part)
        elif ID_LISTS.fullmatch(field) and all(plain_text(item) is not None for item in part):
            found[field] = tuple(str(plain_text(item)) for item in part)
    texts = [field for field in found if not ID_LISTS.fullmatch(field)]
    for field in (*NAME_LISTS, *texts, *found):
        if any(found.get(field, ())):
            return found[field]
    return ()


def element_names(message: Any, field: str) -> tuple[str, ...]:
    """The names that a message gives to the elements of one of its own lists of messages; empty where it gives none.

    The points of a trajectory are none of its joints', though there may happen to be as many.

    Args:
        message: That holds the list.
        field: What the list is called in it.
    """
    elements: Any = dict(children(message) or ()).get(field)
    names = listed_names(message)
    if field in _IN_TIME or not is_list(elements) or len(elements) != len(names):
        return ()
    return names


def follow_named(message: Any, path: FieldPath) -> tuple[Any, tuple[str, ...]]:
    """The value at a path, and the names that go with the elements of the list it ends in or goes across.

    The names are those of the innermost message on the way that holds a list of names, whether or not there are as many
    as elements, and whether or not each is a name of its own: the caller compares. Where no message holds one, they are
    what the elements call themselves. Numbers of a plain dict go by its keys.

    Raises:
        DecodeError: As `follow`.
    """
    parents: list[Any] = []
    value = message
    names: tuple[str, ...] | None = None
    for position, step in enumerate(path.steps):
        rest = path.steps[position + 1 :]
        if isinstance(step, str):
            parents.append(value)
            names = None
            value = descend(value, step, path)
            continue
        elements = pick(parents[-1], value, step, path)
        if isinstance(step, slice) and names is None:
            names = _names_of(parents, value)
            names = names[step] if len(names) == len(value) else names
            if rest and isinstance(rest[0], str):
                inner = path.with_steps(rest)
                return [follow_named(element, inner)[0] for element in elements], names
        else:
            names = () if is_list(elements) else None  # a list inside a list has no names of its own
        value = elements
    if names is None:
        names = _names_of(parents, value) if is_list(value) else _keys(value)
    return value, names


def _keys(value: Any) -> tuple[str, ...]:
    """The keys of a plain dict of numbers, in its order; empty for anything else."""
    if isinstance(value, dict) and value and all(isinstance(part, int | float) for part in value.values()):
        return tuple(value)
    return ()


def _names_of(parents: Sequence[Any], elements: Any) -> tuple[str, ...]:
    for parent in reversed(parents):
        names = listed_names(parent)
        if names:
            return names
    for field in OWN_NAMES:
        try:
            found = [child(element, field) for element in elements]
        except (KeyError, TypeError):
            continue
        if found and all(isinstance(name, str) and name for name in found) and len(set(found)) == len(found):
            return tuple(found)
    return ()
