"""Elements of lists that are taken by their place: whether they are the same in every message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bagmill.errors import DecodeError
from bagmill.messages import ChannelContent
from bagmill.messages.example import names_something
from bagmill.messages.field_path import FieldPath, Selector, Step, descend, pick, spell
from bagmill.messages.parallel import element_names
from bagmill.messages.tree import children, is_list

_SHOWN = 6


class _Taken(NamedTuple):
    """An element that a path takes by its place."""

    before: tuple[Step, ...]
    """The way to its list."""
    place: int
    after: tuple[Step, ...]
    """The way on from it."""
    says: Mapping[str, str]
    """Way inside it → text, of all by which it is told from others."""


def problem_of_places(path: FieldPath, contents: Sequence[ChannelContent]) -> str | None:
    """Why elements cannot be taken by their place: what one says of itself differs from message to message.

    Args:
        path: Whose indices, slices and whole lists are places; selectors are none.
        contents: The forms of the messages.

    Returns:
        A clause with the selector to write; None where every place always holds the same element.
    """
    said: dict[tuple[tuple[Step, ...], int], dict[str, list[str]]] = {}
    ways_on: dict[tuple[tuple[Step, ...], int], tuple[Step, ...]] = {}
    for content in contents:
        if content.example is None:
            continue
        try:
            for taken in _taken(content.example, path):
                key = (taken.before, taken.place)
                ways_on[key] = taken.after
                for way, text in taken.says.items():
                    texts = said.setdefault(key, {}).setdefault(way, [])
                    if text not in texts:
                        texts.append(text)
        except DecodeError:
            continue  # a message without what is wanted
    for (before, place), ways in said.items():
        differing = {way: texts for way, texts in ways.items() if len(texts) > 1}
        if differing:
            # What tells the elements apart best is what has most values.
            way = max(differing, key=lambda each: len(differing[each]))
            return _say(path, before, place, ways_on[before, place], way, differing[way])
    return None


def says_of_itself(element: Any) -> dict[str, str]:
    """Way inside an element of a list → text, of everything that tells it from the others."""
    said: dict[str, str] = {}
    for name, part in children(element) or ():
        if isinstance(part, str | int) and not isinstance(part, bool) and names_something(name):
            said[name] = str(part)
        elif name == "header":
            said |= {f"header.{inner}": text for inner, text in says_of_itself(part).items() if inner == "frame_id"}
    return said


def _taken(message: Any, path: FieldPath) -> Iterator[_Taken]:
    yield from _follow(message, None, (), path.steps, path)


def _follow(
    value: Any, parent: Any, before: tuple[Step, ...], steps: tuple[Step, ...], path: FieldPath
) -> Iterator[_Taken]:
    if not steps:
        yield from _inside(value, parent, before)
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        yield from _follow(descend(value, step, path), value, (*before, step), rest, path)
        return
    picked = pick(parent, value, step, path)
    if isinstance(step, Selector):
        yield from _follow(picked, value, (*before, step), rest, path)
        return
    names = element_names(parent, str(before[-1]))
    places = [step] if isinstance(step, int) else range(*step.indices(len(value)))
    for place in places:
        element = value[place]
        if children(element) is None:
            return
        yield _Taken(before, place, rest, _identity(element, names, place))
        yield from _follow(element, value, (*before, place), rest, path)


def _inside(value: Any, parent: Any, before: tuple[Step, ...]) -> Iterator[_Taken]:
    """All lists of messages below a path's end, which are taken whole."""
    if (parts := children(value)) is not None:
        for name, part in parts:
            yield from _inside(part, value, (*before, name))
    elif is_list(value):
        names = element_names(parent, str(before[-1]))
        for place, element in enumerate(value):
            if children(element) is None:
                return
            yield _Taken(before, place, (), _identity(element, names, place))
            yield from _inside(element, value, (*before, place))


def _identity(element: Any, names: tuple[str, ...], place: int) -> dict[str, str]:
    return says_of_itself(element) | ({"name": names[place]} if names else {})


def _say(
    path: FieldPath, before: tuple[Step, ...], place: int, after: tuple[Step, ...], way: str, texts: Sequence[str]
) -> str:
    chosen = path.with_steps((*before, Selector(((tuple(way.split(".")), texts[0]),)), *after))
    shown = ", ".join(texts[:_SHOWN]) + (f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")
    return (
        f"`{spell(before)}[{place}]` is not the same element in every message: its `{way}` is {shown}; "
        f'choose by what it says: `field: "{chosen.text}"`'
    )
