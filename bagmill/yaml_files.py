"""YAML files that come from elsewhere: read within limits, and every mistake in them told with its place.

YAML can say much more than settings need: aliases that double with every line, tags that name a type of Python's, numbers
in base 60, two values under one key of which the last one silently counts. So a file's events are looked at first, one by
one, before anything is built from them; what they say is then built by PyYAML, and whatever it cannot build is told of.

What a file must hold is the business of the pydantic model that reads it (`profile`, a deployment's settings).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml
from pydantic import ValidationError
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bagmill.limits import limits
from bagmill.regular_files import read_regular

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str", "timestamp", "seq", "map"))
_MERGE: Final = _TAG + "merge"
_MOST_DIGITS: Final = 64
"""Of a number: more than any int64 or float64 needs."""
_SHOWN: Final = 40
_NO_CHARACTER: Final = re.compile("[\\0\\ud800-\\udfff]")


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that a file holds; empty for an empty file.

    Raises:
        ValueError: It cannot be read, holds something else, or more than is taken; says what, as a clause.
    """
    try:
        content = read_regular(path, most_bytes=limits().yaml_bytes)
    except OSError as err:
        raise ValueError(f"cannot be read ({err.strerror})") from err
    try:
        document = parse_yaml(content)
    except UnicodeDecodeError as err:
        raise ValueError("is not UTF-8 text") from err
    except ValueError as err:
        hint = '; a path with [ ] in it needs quotes: `field: "motors[:].q"`' if "flow mapping" in str(err) else ""
        raise ValueError(f"is not YAML: {err}{hint}") from err
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ValueError(f"expected a mapping at the top, found {type(document).__name__}")  # noqa: TRY004 - of a file
    return document


def parse_yaml(content: bytes) -> Any:
    """What a YAML file says, as plain values: mappings, lists, texts, numbers, dates; None for an empty file.

    Raises:
        UnicodeDecodeError: It is neither UTF-8 nor UTF-16 with its mark.
        ValueError: It is not YAML, or says what no settings need: tags, two values under one key, references to itself,
            more than `limits` take. Says what, as a clause, with line and column.
    """
    if len(content) > (most := limits().yaml_bytes):
        raise ValueError(f"it has more than {most:,} bytes (`yaml_bytes` in docs/limits.md)")
    text = content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    try:
        _EventCheck().run(yaml.parse(text, Loader=_LOADER))
        return _built(text)
    except (yaml.YAMLError, RecursionError) as err:
        raise ValueError(" ".join(str(err).split())) from err


def tell_problems(err: ValidationError) -> list[str]:
    """Every mistake that a model found, as `what is wrong @ $.where.it.is`."""
    return [f"{_say(error)} @ {_place(error['loc'])}" for error in err.errors(include_url=False)]


def tell_first(err: ValidationError) -> str:
    """The first mistake that a model found, without its place: of a single value."""
    return _say(err.errors(include_url=False)[0])


@dataclass(slots=True)
class _Extent:
    """A value's, aliases and merges written out; of one that is still open, what it holds so far."""

    anchor: str | None = None
    num_nodes: int = 1
    num_levels: int = 1


class _EventCheck:
    """Goes through a document's events, of which each costs the same, whatever would be built from them."""

    def __init__(self) -> None:
        self._most = limits()
        self._anchors: dict[str | None, _Extent | None] = {}
        """Values by anchor; None for one that is still open."""
        self._open = [_Extent(num_nodes=0, num_levels=0)]

    def run(self, events: Iterable[Event]) -> None:
        """Go through them all.

        Raises:
            yaml.YAMLError: They break off, or say what is not taken.
        """
        for event in events:
            if isinstance(event, CollectionStartEvent):
                self._check_tag(event, event.tag)
                self._anchors[event.anchor] = None
                self._open.append(_Extent(event.anchor))
                self._check_depth(len(self._open) - 1, event)
            elif isinstance(event, CollectionEndEvent):
                closed = self._open.pop()
                self._anchors[closed.anchor] = closed
                self._add(closed, event)
            elif isinstance(event, ScalarEvent):
                self._check_tag(event, event.tag)
                if _NO_CHARACTER.search(event.value):
                    _refuse("a text holds a character that is none", event)
                scalar = _Extent()
                self._anchors[event.anchor] = scalar
                self._add(scalar, event)
            elif isinstance(event, AliasEvent):
                if (named := self._anchors.get(event.anchor)) is None:
                    is_open = event.anchor in self._anchors
                    _refuse(f"*{event.anchor} refers to {'itself' if is_open else 'nothing before it'}", event)
                self._add(named, event)

    def _add(self, found: _Extent, event: Event) -> None:
        """Count a value to the one around it."""
        around = self._open[-1]
        around.num_nodes += found.num_nodes
        around.num_levels = max(around.num_levels, found.num_levels + 1)
        self._check_depth(len(self._open) + found.num_levels - 2, event)
        if around.num_nodes > self._most.yaml_nodes:
            _refuse(f"it holds more than {self._most.yaml_nodes:,} values (`yaml_nodes` in docs/limits.md)", event)

    def _check_depth(self, num_levels: int, event: Event) -> None:
        if num_levels > self._most.yaml_depth:
            _refuse(f"it is more than {self._most.yaml_depth} levels deep (`yaml_depth` in docs/limits.md)", event)

    def _check_tag(self, event: Event, tag: str | None) -> None:
        if tag is not None and tag != "!" and tag not in _TAGS:
            _refuse(f"the tag {tag[:_SHOWN]} is not taken", event)


def _built(text: str) -> Any:
    """The values of a document whose events are known to be harmless.

    Raises:
        yaml.YAMLError: A value is not what its tag says, or two stand under one key.
    """
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _check_nodes(root, loader)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _check_nodes(root: Node, loader: Any) -> None:
    """Build every scalar by itself, so that whatever cannot be built is told with its place, and compare keys."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        inner: list[Node] = []
        if isinstance(node, ScalarNode):
            _scalar(node, loader)
        elif isinstance(node, SequenceNode):
            inner = node.value
        elif isinstance(node, MappingNode):
            inner = [each for pair in node.value for each in pair]
            _check_keys(node, loader)
        for each in inner:
            if id(each) not in seen:
                seen.add(id(each))
                waiting.append(each)


def _check_keys(node: MappingNode, loader: Any) -> None:
    found: set[object] = set()
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            _refuse("a key is a mapping or a list", key)
        if key.tag == _MERGE:
            merged = value.value if isinstance(value, SequenceNode) else [value]
            if not all(isinstance(each, MappingNode) for each in merged):
                _refuse("what is merged is no mapping", value)
            continue
        built = _scalar(key, loader)
        if built in found:
            _refuse(f"the key {key.value[:_SHOWN]!r} is there twice", key)
        found.add(built)


def _scalar(node: ScalarNode, loader: Any) -> Any:
    """A scalar's value.

    Raises:
        yaml.YAMLError: It is not what its tag, or its form, says.
    """
    kind = node.tag.removeprefix(_TAG)
    shown = node.value[:_SHOWN]
    if kind == "merge":
        return None
    if kind in {"int", "float"}:
        if len(node.value) > _MOST_DIGITS:
            _refuse(f"a number has {len(node.value)} characters", node)
        if ":" in node.value:
            _refuse(f"{shown} would be read as a number in base 60: put it in quotes if it is a text", node)
    try:
        value = loader.construct_object(node)
    except yaml.YAMLError:
        raise
    except ValueError as err:  # 2026-13-45
        _refuse(f"{shown!r} is no {kind}" + (f" ({err})" if kind == "timestamp" else ""), node, err)
    except Exception as err:  # noqa: BLE001 - PyYAML's constructors let IndexError, AttributeError, TypeError and more through
        _refuse(f"{shown!r} is no {kind}", node, err)
    if isinstance(value, float) and math.isinf(value) and "inf" not in node.value.lower():
        _refuse(f"{shown} is larger than any number", node)
    return value


def _refuse(problem: str, at: Event | Node, cause: Exception | None = None) -> NoReturn:
    mark: Any = at.start_mark  # PyYAML gives one to everything that it reads
    raise yaml.YAMLError(f"{problem}, in line {mark.line + 1}, column {mark.column + 1}") from cause


_MOST_SHOWN: Final = 40
"""Characters of a wrong value."""
_MOST_BITS: Final = 128
"""Of a whole number that is written out: Python refuses those of thousands of digits, after a while."""


def _say(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "required, but not there"
        case "extra_forbidden":
            return "no such setting"
    said = str(error["msg"]).removeprefix("Value error, ").strip()
    wanted = said.removeprefix("Input should be ")
    found = error["input"]
    if wanted == said or not _may_be_shown(error["type"], found):
        return wanted
    shown = "a number of many digits" if isinstance(found, int) and found.bit_length() > _MOST_BITS else ascii(found)
    return f"expected {wanted}, found {shown if len(shown) <= _MOST_SHOWN else shown[:_MOST_SHOWN] + '…'}"


def _may_be_shown(kind: str, found: object) -> bool:
    """Whether a wrong value can be no secret: a text in the place of a section may be an address with its token."""
    return isinstance(found, int | float | None) or (kind == "literal_error" and isinstance(found, str))


def _place(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
