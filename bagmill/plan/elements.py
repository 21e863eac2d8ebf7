"""Elements of lists that are taken by their place: whether they are the same in every message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bagmill.errors import DecodeError
from bagmill.messages import ChannelContent
from bagmill.messages.example import is_number_that_names, names_something
from bagmill.messages.field_path import FieldPath, Selector, Step, descend, pick, plain_text, spell
from bagmill.messages.parallel import element_names, listed_names
from bagmill.messages.tree import children, is_list

_SHOWN = 6
_MOST_DEEP = 3


class _Taken(NamedTuple):
    """An element that a path takes by its place."""

    before: tuple[Step, ...]
    """The way to its list."""
    place: int | Selector
    """A selector's element is another one, too, if its frames change."""
    after: tuple[Step, ...]
    """The way on from it."""
    says: Mapping[str, str]
    """Way inside it → text, of all by which it is told from others."""
    is_number: bool = False
    """It is a number of a list that runs parallel to names."""


def problem_of_places(path: FieldPath, contents: Sequence[ChannelContent], *, is_by_place: bool) -> str | None:
    """Why elements cannot be taken by their place: what one says of itself differs from message to message.

    Args:
        path: Whose indices, slices and whole lists are places; selectors are none.
        contents: The forms of the messages.
        is_by_place: The numbers at the path's end are taken by their place, too.

    Returns:
        A clause with the selector to write; None where every place always holds the same element.
    """
    said: dict[tuple[tuple[Step, ...], int | Selector], dict[str, list[str]]] = {}
    ways_on: dict[tuple[tuple[Step, ...], int | Selector], tuple[Step, ...]] = {}
    for content in contents:
        if content.example is None:
            continue
        try:
            for taken in _taken(content.example, path):
                if taken.is_number and not is_by_place:
                    continue
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
    """Way inside an element of a list → text, of everything that tells it from the others.

    Of a list inside the element the first counts, as a selector reads it.
    """
    return dict(_says(element, "", depth=0))


def _says(value: Any, prefix: str, *, depth: int) -> Iterator[tuple[str, str]]:
    for name, part in children(value) or ():
        text = plain_text(part) if names_something(name) else None
        if text is not None:
            if text and (isinstance(part, str) or is_number_that_names(name)):
                yield f"{prefix}{name}", text
        elif is_list(part) and len(part) and is_number_that_names(name) and all(type(item) is int for item in part):
            yield f"{prefix}{name}", "-".join(map(str, part))
        elif name == "header":
            yield from ((way, text) for way, text in _says(part, "header.", depth=depth) if way == "header.frame_id")
        elif depth < _MOST_DEEP:
            inner = part[0] if is_list(part) and len(part) else part
            if children(inner) is not None:
                yield from _says(inner, f"{prefix}{name}.", depth=depth + 1)


def _taken(message: Any, path: FieldPath) -> Iterator[_Taken]:
    yield from _follow(message, _Way(None, (), listed_names(message)), path.steps, path)


class _Way(NamedTuple):
    """How a value was reached."""

    parent: Any
    """What holds it."""
    before: tuple[Step, ...]
    names: tuple[str, ...]
    """Of the innermost message on the way that holds a list of names."""

    def on(self, value: Any, step: Step) -> _Way:
        """The way on from a value that was reached by this one."""
        return _Way(value, (*self.before, step), listed_names(value) or self.names)


def _follow(value: Any, way: _Way, steps: tuple[Step, ...], path: FieldPath) -> Iterator[_Taken]:
    if not steps:
        yield from _inside(value, way)
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        yield from _follow(descend(value, step, path), way.on(value, step), rest, path)
        return
    picked = pick(way.parent, value, step, path)
    if isinstance(step, Selector):
        chosen = {each for each, _ in step.conditions}
        frames = {
            each: text for each, text in says_of_itself(picked).items() if _is_frame(each) and _way(each) not in chosen
        }
        yield _Taken(way.before, step, rest, frames)
        yield from _follow(picked, way.on(value, step), rest, path)
        return
    yield from _elements(value, way, [step] if isinstance(step, int) else range(*step.indices(len(value))), rest, path)


def _elements(
    value: Any, way: _Way, places: Sequence[int] | range, rest: tuple[Step, ...], path: FieldPath
) -> Iterator[_Taken]:
    names = element_names(way.parent, str(way.before[-1]))
    for place in places:
        element = value[place]
        if children(element) is None and not is_list(element):
            return
        yield _Taken(way.before, place, rest, _identity(element, names, place))
        yield from _follow(element, way.on(value, place), rest, path)


def _inside(value: Any, way: _Way) -> Iterator[_Taken]:
    """All lists below a path's end, which are taken whole: of messages, and of numbers that run parallel to names."""
    if (parts := children(value)) is not None:
        for name, part in parts:
            yield from _inside(part, way.on(value, name))
    elif is_list(value) and len(value):
        if children(value[0]) is None and not is_list(value[0]):
            crosses = any(not isinstance(step, str) for step in way.before[:-1])
            if crosses and len(value) == len(way.names) and not isinstance(value[0], str):
                yield _Taken(way.before, 0, (), {"name": way.names[0]}, is_number=True)
            return
        names = element_names(way.parent, str(way.before[-1]))
        for place, element in enumerate(value):
            yield _Taken(way.before, place, (), _identity(element, names, place))
            yield from _inside(element, way.on(value, place))


def _identity(element: Any, names: tuple[str, ...], place: int) -> dict[str, str]:
    return says_of_itself(element) | ({"name": names[place]} if names else {})


def _is_frame(way: str) -> bool:
    return way.rpartition(".")[2] in ("frame_id", "child_frame_id")


def _way(text: str) -> tuple[str, ...]:
    return tuple(text.split("."))


def _say(
    path: FieldPath,
    before: tuple[Step, ...],
    place: int | Selector,
    after: tuple[Step, ...],
    way: str,
    texts: Sequence[str],
) -> str:
    conditions = place.conditions if isinstance(place, Selector) else ()
    chosen = path.with_steps((*before, Selector((*conditions, (_way(way), texts[0]))), *after))
    shown = ", ".join(texts[:_SHOWN]) + (f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")
    return (
        f"`{spell(before)}[{place}]` is not the same element in every message: its `{way}` is {shown}; "
        f'choose by what it says: `field: "{chosen.text}"`'
    )
