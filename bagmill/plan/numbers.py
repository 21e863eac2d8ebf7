"""A signal's field and the forms of a channel's messages → which messages hold its numbers, and by which names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bagmill.errors import DecodeError
from bagmill.messages import UNREADABLE, UNTOLD, ChannelContent
from bagmill.messages.field_path import FieldPath, NotInMessageError, Selector, SeveralElementsError, parse_field_path
from bagmill.messages.numeric import numbers_of
from bagmill.messages.parallel import follow_named
from bagmill.plan.elements import problem_of_places, says_of_itself
from bagmill.plan.naming import NumbersError, is_by_name, named_path, type_path
from bagmill.profile import PartSpec
from bagmill.streams.index import Stream

_MOST_GROUPS = 16
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Numbers:
    """What to take from some of a channel's messages."""

    field: str
    joints: tuple[str, ...]
    """As of `PartPlan`."""
    names: tuple[str, ...]
    """What the columns are called: the joints, or numbered places."""
    forms: frozenset[int]
    """Of the messages that hold them."""
    types: frozenset[str]
    """Of the numbers, as recorded: `float64`, `int8`."""
    is_orientation: bool = False
    """They are one quaternion by the definition: fields x, y, z and w."""

    def rows(self, stream: Stream) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """(M,) the messages that hold them, and those that may: which cannot be decoded, or were not looked into."""
        wanted = np.array([*self.forms, UNREADABLE, UNTOLD])
        return np.flatnonzero(np.isin(stream.form, wanted)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a path leads to in messages of one form."""

    form: int
    width: int
    names: tuple[str, ...]


def resolve_numbers(spec: PartSpec, stream: Stream) -> tuple[Numbers, ...]:
    """Find a part's numbers in the forms of its channel's messages.

    Returns:
        One, or several where messages of different publishers hold different joints of it.

    Raises:
        NumbersError: No message holds them, or the path does not say enough.
    """
    try:
        path = parse_field_path(spec.field)
    except DecodeError as err:
        raise NumbersError(f"{err.problem} ({err.remedy})" if err.remedy else err.problem) from err
    contents = stream.contents
    path, wanted = named_path(path, spec, contents)
    if any(isinstance(step, int) for step in path.steps):
        _check_places(path, spec, contents, is_by_place=False)
    found = _find(path, spec, stream)
    types = frozenset(_types(path, contents))
    by_name = bool(wanted) or is_by_name(path, spec, [(contents[each.form], each.width, each.names) for each in found])
    if not by_name:
        _check_places(path, spec, contents, is_by_place=True)
        return (_by_place(path, spec, found, stream, types),)
    return tuple(
        Numbers(path.text, joints, joints, forms, types)
        for joints, forms in _groups(wanted or spec.names, found, spec, stream)
    )


def _check_places(path: FieldPath, spec: PartSpec, contents: Sequence[ChannelContent], *, is_by_place: bool) -> None:
    if spec.by != "place" and (problem := problem_of_places(path, contents, is_by_place=is_by_place)):
        raise NumbersError(problem)


def _find(path: FieldPath, spec: PartSpec, stream: Stream) -> list[_Found]:
    found: list[_Found] = []
    lacking: NotInMessageError | None = None
    for form, content in enumerate(stream.contents):
        if content.example is None:
            continue
        try:
            value, names = follow_named(content.example, path)
            width = len(numbers_of(value))
            if isinstance(value, dict) and stream.channel.message_encoding != "json":
                names = ()  # a definition keeps the order of its fields
        except NotInMessageError as err:
            lacking = err
        except SeveralElementsError as err:
            raise NumbersError(
                f"{err.problem}{_elements_there(path, stream)}; add a condition that tells them apart"
            ) from err
        except DecodeError:
            continue
        else:
            if width:
                found.append(_Found(form, width, names))
    if found:
        return found
    if lacking is not None:
        raise NumbersError(f"no message on {spec.channel} holds it; {lacking.problem}{_elements_there(path, stream)}")
    known = ", ".join(list(stream.content.fields)[:_SHOWN]) or "none"
    raise NumbersError(f"no numeric field `{spec.field}` in {stream.channel.schema_name}; it has {known}")


def _elements_there(path: FieldPath, stream: Stream) -> str:
    """What the elements of a list say of themselves where a selector chooses among them, for a refusal."""
    position = next((n for n, step in enumerate(path.steps) if isinstance(step, Selector)), None)
    if position is None:
        return ""
    said: list[str] = []
    for content in stream.contents:
        try:
            elements, names = follow_named(content.example, path.with_steps(path.steps[:position]))
        except DecodeError:
            continue
        beside = [{"name": name} for name in names] if len(names) == len(elements) else [{}] * len(elements)
        for element, name in zip(elements, beside, strict=True):
            text = ", ".join(f"{way}={text}" for way, text in (says_of_itself(element) or name).items())
            if text and text not in said:
                said.append(text)
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return f"; there are [{'], ['.join(said[:_SHOWN])}]{more}" if said else ""


def _by_place(
    path: FieldPath, spec: PartSpec, found: Sequence[_Found], stream: Stream, types: frozenset[str]
) -> Numbers:
    if spec.names and spec.by != "place":
        raise NumbersError(
            f"`names` are given, but `{spec.field}` does not hold one number a joint"
            if any(each.names for each in found)
            else f"`names` are given, but the messages on {spec.channel} name no joints; with `by: place` they are what the "
            "numbers are called, in their order"
        )
    counts = stream.num_messages_by_form
    widths: dict[int, int] = {}
    for each in found:
        widths[each.width] = widths.get(each.width, 0) + int(counts[each.form])
    width = max(widths, key=widths.__getitem__)
    label = spec.name or spec.field
    names = (label,) if width == 1 else tuple(f"{label}[{n}]" for n in range(width))
    if spec.names:
        if len(spec.names) != width:
            raise NumbersError(f"{len(spec.names)} `names` are given for the {width} numbers of `{spec.field}`")
        names = spec.names
    # Messages of another width are damaged, and told as such; those without the numbers are somebody else's.
    forms = frozenset(each.form for each in found)
    return Numbers(path.text, (), names, forms, types, _is_quaternion(path, found[0].form, stream))


def _is_quaternion(path: FieldPath, form: int, stream: Stream) -> bool:
    value, _ = follow_named(stream.contents[form].example, path)
    return isinstance(value, dict) and value.keys() == {"x", "y", "z", "w"}


def _groups(
    wanted: tuple[str, ...], found: Sequence[_Found], spec: PartSpec, stream: Stream
) -> list[tuple[tuple[str, ...], frozenset[int]]]:
    """Joints that stand in the same messages, and the forms of these messages."""
    fitting = [each for each in found if len(each.names) == each.width]
    known = tuple(
        dict.fromkeys(name for each in fitting for name in each.names if name and each.names.count(name) == 1)
    )
    if not known:
        raise NumbersError(
            f"`{spec.field}` does not hold one number for each of the names of a message on {spec.channel}"
        )
    if unknown := [name for name in wanted if name not in known]:
        raise NumbersError(f"no joint called {', '.join(unknown)} on {spec.channel}; it has {', '.join(known)}")
    groups: dict[frozenset[int], list[str]] = {}
    for name in wanted or known:
        forms = frozenset(each.form for each in fitting if each.names.count(name) == 1)
        groups.setdefault(forms, []).append(name)
    if len(groups) > _MOST_GROUPS:
        raise NumbersError(
            f"the messages on {stream.channel.topic} hold {len(wanted or known)} joints in {len(groups)} different "
            "combinations; say with `names` which joints you want"
        )
    return [(tuple(names), forms) for forms, names in groups.items()]


def _types(path: FieldPath, contents: Iterable[ChannelContent]) -> Iterable[str]:
    """The recorded types of all numbers at or below a path."""
    place = type_path(path)
    for content in contents:
        for known, kind in content.types.items():
            if known == place or known.startswith((f"{place}.", f"{place}[")):
                yield kind.partition("[")[0]
