"""YAML files that come from elsewhere: read within limits, and every mistake in them told with its place.

YAML can say much more than settings need: aliases that double with every line, tags that name a type of Python's, numbers
in base 60, two values under one key of which the last one silently counts. So a file's events are looked at first, one by
one, before anything is built from them; what they say is then built by PyYAML, and whatever it cannot build is told of.

What a file must hold is the business of the pydantic model that reads it (`profile`, a deployment's settings).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml
from pydantic import ValidationError
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, NodeEvent, ScalarEvent
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
_SURROGATE: Final = re.compile("[\\0\\ud800-\\udfff]")


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
        _check_events(yaml.parse(text, Loader=_LOADER))
        return _built(text)
    except (yaml.YAMLError, RecursionError) as err:
        raise ValueError(" ".join(str(err).split())) from err


def tell_problems(err: ValidationError) -> list[str]:
    """Every mistake that a model found, as `what is wrong @ $.where.it.is`."""
    return [f"{_say(error)} @ {_place(error['loc'])}" for error in err.errors(include_url=False)]


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet, with what is in it so far, aliases and merges written out."""

    anchor: str | None
    num_nodes: int = 1
    num_levels: int = 1


def _check_events(events: Iterator[Event]) -> None:
    """Go through a document's events, of which each costs the same, whatever would be built from them.

    Raises:
        yaml.YAMLError: They break off, or say what is not taken.
    """
    table = limits()
    anchors: dict[str, _Open | None] = {}
    """Nodes that are whole, by anchor; None: still open."""
    stack = [_Open(None, 0, 0)]
    for event in events:
        if not isinstance(event, NodeEvent | CollectionEndEvent):
            continue
        if isinstance(event, CollectionEndEvent):
            closed = stack.pop()
            if closed.anchor is not None:
                anchors[closed.anchor] = closed
        elif isinstance(event, AliasEvent):
            alias = anchors.get(event.anchor)
            if alias is None:  # nothing, or a node that is still open
                said = "refers to itself" if event.anchor in anchors else "refers to nothing before it"
                _refuse(f"*{event.anchor} {said}", event)
            closed = alias
        else:
            tag = event.tag
            if tag is not None and tag != "!" and tag not in _TAGS:
                _refuse(f"the tag {tag[:_SHOWN]} is not taken", event)
            opened = _Open(event.anchor)
            if isinstance(event, CollectionStartEvent):
                stack.append(opened)
                if event.anchor is not None:
                    anchors[event.anchor] = None
                if len(stack) - 1 > table.yaml_depth:
                    _refuse(f"it is more than {table.yaml_depth} levels deep (`yaml_depth` in docs/limits.md)", event)
                continue
            if isinstance(event, ScalarEvent) and _SURROGATE.search(event.value):
                _refuse("a text holds a character that is none", event)
            if event.anchor is not None:
                anchors[event.anchor] = opened
            closed = opened
        around = stack[-1]
        around.num_nodes += closed.num_nodes
        around.num_levels = max(around.num_levels, closed.num_levels + 1)
        if len(stack) - 1 + closed.num_levels > table.yaml_depth + 1:
            _refuse(f"it is more than {table.yaml_depth} levels deep (`yaml_depth` in docs/limits.md)", event)
        if around.num_nodes > table.yaml_nodes:
            _refuse(f"it holds more than {table.yaml_nodes:,} values (`yaml_nodes` in docs/limits.md)", event)


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
    except Exception as err:  # PyYAML's constructors let IndexError, AttributeError, TypeError and more through
        _refuse(
            f"{shown!r} is no {kind}" + (f" ({err})" if isinstance(err, ValueError) and kind == "timestamp" else ""),
            node,
            err,
        )
    if isinstance(value, float) and math.isinf(value) and "inf" not in node.value.lower():
        _refuse(f"{shown} is larger than any number", node)
    return value


def _refuse(problem: str, at: Event | Node, cause: Exception | None = None) -> NoReturn:
    mark = at.start_mark
    raise yaml.YAMLError(f"{problem}, in line {mark.line + 1}, column {mark.column + 1}") from cause


def _say(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "required, but not there"
        case "extra_forbidden":
            return "no such setting"
    return str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ").strip()


def _place(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
