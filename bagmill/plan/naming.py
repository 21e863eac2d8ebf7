"""Numbers by name: where a message names its numbers, they are taken by these names and not by their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bagmill.errors import DecodeError
from bagmill.messages import ChannelContent
from bagmill.messages.field_path import NAME_LISTS, FieldPath, Selector, Step, follow, spell
from bagmill.messages.parallel import element_names, follow_named
from bagmill.messages.tree import children, is_list
from bagmill.profile import PartSpec

_OF_JOINTS = re.compile(
    r"(.*_)?(positions?|pos|velocit(y|ies)|vel|efforts?|accelerations?|torques?|tau|currents?|temperatures?|voltages?|displacements?"
    r"|angles?|values?|q|dq|ddq|stiffness|damping|loads?|joints?)(_.*)?",
    re.IGNORECASE,
)
"""What a list of one number a joint is called."""
_OF_SPACE = re.compile(
    r"(.*_)?(force|wrench|pose|twist|point|vector|translation|rotation|orientation|linear|angular|gravity|tcp|ee|axis|xyz|rpy|quat"
    r"|quaternion|color|rgb)(_.*)?",
    re.IGNORECASE,
)
"""What a vector in space is called, which may happen to have as many numbers as there are joints."""


_MOST_BY_CHANCE = 9
"""As many numbers as names are no proof up to here: vectors, quaternions and rotations have as many."""


class NumbersError(Exception):
    """Why a part's numbers cannot be taken, as a clause."""


def type_path(path: FieldPath) -> str:
    """The path as `ChannelContent.types` has it: one for all elements of a list, a list of numbers by its own name."""
    steps: list[Step] = []
    for position, step in enumerate(path.steps):
        if isinstance(step, str):
            steps.append(step)
        elif position + 1 < len(path.steps):
            steps.append(slice(None))
    return spell(tuple(steps))


def is_by_name(path: FieldPath, spec: PartSpec, found: Sequence[tuple[ChannelContent, int, tuple[str, ...]]]) -> bool:
    """Whether a part's numbers run parallel to the names in its messages.

    Args:
        path: To the numbers.
        spec: Of the part: `names` and `by` decide.
        found: For every form that holds them: its content, how many numbers it has there, and the names beside them.

    Raises:
        NumbersError: It cannot be told, and the names stand in different orders.
    """
    fits = [(content, names) for content, width, names in found if any(names) and len(names) == width]
    if spec.by is not None or not fits:
        return spec.by == "name"
    if spec.names:
        return True
    orders = {names for _, names in fits}
    if any(not all(names) or len(set(names)) < len(names) for names in orders):
        if len(orders) > 1:
            raise NumbersError(
                f"the names beside `{spec.field}` repeat or are empty, and change from message to message: say with `names` "
                "which numbers you want, or `by: place` if they stand where they stand"
            )
        return False
    if any(isinstance(step, slice) for step in path.steps) or _is_composite(path, fits[0][0]):
        return True
    is_list = isinstance(path.steps[-1], str) and _is_list_of_any_length(path, fits[0][0])
    return is_list and _is_list_by_name(path, spec, orders, is_everywhere=len(fits) == len(found))


def _is_list_by_name(path: FieldPath, spec: PartSpec, orders: set[tuple[str, ...]], *, is_everywhere: bool) -> bool:
    """Whether a list that has as many numbers as its messages have names is theirs."""
    field = next(step for step in reversed(path.steps) if isinstance(step, str))
    is_of_space = _OF_SPACE.fullmatch(field) is not None
    if not is_of_space and (_OF_JOINTS.fullmatch(field) or (is_everywhere and _is_no_chance(orders))):
        return True
    if len(orders) > 1 and is_everywhere:
        raise NumbersError(
            f"`{spec.field}` has as many numbers as its messages have names, whose order changes: say `by: name` if the "
            "numbers go with the names, `by: place` if not"
        )
    return False


def _is_no_chance(orders: set[tuple[str, ...]]) -> bool:
    """Whether there are as many numbers as names for a reason."""
    return len(set(map(len, orders))) > 1 or max(map(len, orders)) > _MOST_BY_CHANCE


def named_path(
    path: FieldPath, spec: PartSpec, contents: Sequence[ChannelContent]
) -> tuple[FieldPath, tuple[str, ...]]:
    """A path without the places in it that a name can stand for, and the names of the numbers that it picks.

    `position[2]` becomes `position` and the name of the third joint, `pose[1].position` becomes
    `pose[name=robot].position`: by the first message that has the place.
    """
    if spec.by == "place":
        return path, ()
    examples = [content for content in contents if content.example is not None]
    path = _elements_by_name(path, examples)
    for position, step in enumerate(path.steps[:-1]):
        if isinstance(step, slice) and step != slice(None) and not spec.names:
            return _whole_slice(path, position, step, examples)
    last = path.steps[-1]
    if isinstance(last, Selector) and len(last.conditions) == 1 and last.conditions[0][0][0] in NAME_LISTS:
        return path.with_steps(path.steps[:-1]), (last.conditions[0][1],)
    if not isinstance(last, int | slice) or spec.names or len(path.steps) < 2 or not isinstance(path.steps[-2], str):
        return path, ()
    whole = path.with_steps(path.steps[:-1])
    lists = [(content, *found) for content in examples if (found := _follow(content, whole)) is not None]
    named = [
        (content, len(value), names)
        for content, value, names in lists
        if is_list(value) and len(value) and not any(children(item) is not None for item in value)
    ]
    if is_by_name(whole, spec.model_copy(update={"field": whole.text}), named):
        for _, width, names in named:
            picked = names[last] if isinstance(last, slice) else names[last : last + 1]
            if len(names) == width and picked:
                return whole, tuple(picked)
    return path, ()


def _whole_slice(
    path: FieldPath, position: int, picked: slice, contents: Sequence[ChannelContent]
) -> tuple[FieldPath, tuple[str, ...]]:
    """A path across some elements of a list, as one across all of them and the names of those, where each gives one number."""
    whole = path.with_steps((*path.steps[:position], slice(None), *path.steps[position + 1 :]))
    for content in contents:
        found = _follow(content, whole)
        if found is not None and is_list(found[0]) and len(found[0]) == len(found[1]) and all(found[1][picked]):
            is_single = all(isinstance(item, int | float) or (is_list(item) and len(item) == 1) for item in found[0])
            if is_single and found[1][picked]:
                return whole, found[1][picked]
    return path, ()


def _elements_by_name(path: FieldPath, contents: Sequence[ChannelContent]) -> FieldPath:
    """Places in lists of messages that run parallel to a list of names, replaced by selectors."""
    steps = list(path.steps)
    for position, step in enumerate(path.steps):
        if (
            not isinstance(step, int)
            or position + 1 == len(path.steps)
            or not isinstance(path.steps[position - 1], str)
        ):
            continue
        holder = path.with_steps(tuple(steps[: position - 1])) if position > 1 else None
        for content in contents:
            try:
                parent = content.example if holder is None else follow(content.example, holder)
            except DecodeError:
                continue
            names = element_names(parent, str(path.steps[position - 1]))
            if len(names) > step:
                steps[position] = Selector(((("name",), names[step]),))
                break
    return path.with_steps(tuple(steps)) if steps != list(path.steps) else path


def _follow(content: ChannelContent, path: FieldPath) -> tuple[Any, tuple[str, ...]] | None:
    try:
        return follow_named(content.example, path)
    except DecodeError:
        return None


def _is_list_of_any_length(path: FieldPath, content: ChannelContent) -> bool:
    """Whether the numbers at a path are a list whose length the definition leaves open."""
    return content.types.get(type_path(path), "").endswith("[]")


def _is_composite(path: FieldPath, content: ChannelContent) -> bool:
    """Whether a path ends above the numbers."""
    return type_path(path) not in content.types
