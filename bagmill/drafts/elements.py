"""Lists of messages inside messages: their elements by what they call themselves, or one field across all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bagmill.drafts.inventory import innermost, is_bookkeeping
from bagmill.messages.field_path import NAME_LISTS, Selector, is_addressable
from bagmill.messages.numeric import numeric_fields
from bagmill.messages.parallel import OWN_NAMES
from bagmill.streams.index import Stream

_FRAMES = (("header", "frame_id"), ("parent_frame_id",), ("frame_id",))
_MOST_ELEMENTS = 32
_OF_ANOTHER_LENGTH = 0.02

Identity = tuple[tuple[tuple[str, ...], str], ...]
"""(way inside an element, what stands there) of what tells it from the others: conditions of a selector."""


@dataclass(slots=True)
class ElementList:
    """A list of messages, over all forms of a channel's messages."""

    path: str
    lengths: dict[int, int] = field(default_factory=dict)
    """Number of elements → messages that hold so many."""
    identities: dict[Identity, None] = field(default_factory=dict)
    """What the elements call themselves, in the order of their first appearance."""
    is_named: bool = True
    """Every element calls itself something, and no two of one message the same."""
    example: Any = None
    """One of the elements."""


@dataclass(frozen=True, slots=True)
class ElementField:
    """A field of one element, or across all of them."""

    field: str
    leaf: str
    """The field inside an element."""
    element: str
    """What the element is called; empty across all of them."""
    num_values: int
    num_each: int
    """Of one element."""


def find_lists(stream: Stream) -> list[ElementList]:
    """The lists of messages in a channel's messages, outermost ones only."""
    counts = stream.num_messages_by_form.tolist()
    lists: dict[str, ElementList] = {}
    for content, count in zip(stream.contents, counts, strict=True):
        for path, holder, elements in _walk(content.example, ""):
            found = lists.setdefault(path, ElementList(path))
            found.lengths[len(elements)] = found.lengths.get(len(elements), 0) + count
            if not elements:
                continue
            found.example = elements[0] if found.example is None else found.example
            identities = [_identity(element, place, holder) for place, element in enumerate(elements)]
            known = [identity for identity in identities if identity]
            found.is_named &= len(known) == len(elements) == len(set(known))
            found.identities.update(dict.fromkeys(known))
    return [found for found in lists.values() if found.example is not None]


def element_fields(found: ElementList) -> tuple[list[ElementField], str | None]:
    """The fields that a list gives, or why it gives none.

    Single numbers are taken across all elements, by the elements' names where they have any; vectors of elements that call
    themselves something element by element.
    """
    leaves = _leaves(found.example)
    if not leaves:
        return [], None
    first = next(iter(leaves))
    if found.is_named and found.identities:
        identities = _shortened(list(found.identities))
        if len(identities) > _MOST_ELEMENTS:
            example = _select(found.path, identities[0])
            return [], f"{len(identities)} elements call themselves something; choose one: `field: {example}.{first}`"
        across = [
            ElementField(f"{found.path}[:].{leaf}", leaf, "", len(identities), 1)
            for leaf, size in leaves.items()
            if size == 1 and _is_one_length(found)
        ]
        scalars = [] if across else [leaf for leaf, size in leaves.items() if size == 1]
        single = [
            ElementField(f"{_select(found.path, identity)}.{leaf}", leaf, _called(identity), size, size)
            for identity in identities
            for leaf, size in leaves.items()
            if size > 1 or leaf in scalars
        ]
        return [*single, *across], None
    if not _is_one_length(found):
        lowest, highest = min(found.lengths), max(found.lengths)
        why = f"it holds {lowest} to {highest} elements, which do not call themselves anything"
        return [], f"{why}; `field: {found.path}[0].{first}` takes the first, whichever that is"
    length = max((length for length in found.lengths if length), key=found.lengths.__getitem__)
    return [
        ElementField(f"{found.path}[:].{leaf}", leaf, "", size * length, size) for leaf, size in leaves.items()
    ], None


def _walk(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any], Sequence[Any]]]:
    """(path, the message that holds it, elements) of every list of messages."""
    if not isinstance(value, Mapping):
        return
    for name, part in value.items():
        if not is_addressable(name):
            continue
        inner = f"{path}.{name}" if path else name
        if isinstance(part, list) and (not part or all(isinstance(item, Mapping) for item in part)):
            yield inner, value, part
        else:
            yield from _walk(part, inner)


def _identity(element: Mapping[str, Any], place: int, holder: Mapping[str, Any]) -> Identity:
    for names in (holder.get(key) for key in NAME_LISTS):
        if isinstance(names, list) and len(names) > place and isinstance(names[place], str) and names[place]:
            return ((("name",), names[place]),)
    own = next(((key,) for key in OWN_NAMES if isinstance(element.get(key), str) and element[key]), None)
    if own is None:
        return ()
    frames = [(way, text) for way in _FRAMES if isinstance(text := _at(element, way), str) and text]
    return (*frames[:1], (own, element[own[0]]))


def _at(element: Any, way: tuple[str, ...]) -> Any:
    for part in way:
        element = element.get(part) if isinstance(element, Mapping) else None
    return element


def _shortened(identities: Sequence[Identity]) -> list[Identity]:
    """Without the frame where the elements' own names tell all of them apart."""
    own = [identity[-1:] for identity in identities]
    return own if len(set(own)) == len(own) else list(identities)


def _leaves(element: Any) -> dict[str, int]:
    fields = innermost({path: size for path, size in numeric_fields(element).items() if not is_bookkeeping(path)})
    return {path: size for path, size in fields.items() if "[" not in path}


def _is_one_length(found: ElementList) -> bool:
    lengths = {length: count for length, count in found.lengths.items() if length}
    return max(lengths.values()) >= (1 - _OF_ANOTHER_LENGTH) * sum(lengths.values())


def _select(path: str, identity: Identity) -> str:
    return f"{path}[{Selector(identity)}]"


def _called(identity: Identity) -> str:
    return "_".join(text for _, text in identity[-1:])
