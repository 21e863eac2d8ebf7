import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.dataset.json_records import from_json, to_json


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Tree:
    kind: Literal["oak", "elm"]
    age: int
    height: float
    width: float | None
    is_tall: bool
    note: str | None = None
    leaves: tuple[Leaf, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)
    anything: Mapping[str, object] = field(default_factory=dict)


TREE = Tree("oak", 100, 12.5, None, True, "old", (Leaf("a", 1.0), Leaf("b", math.nan)), {"x": math.inf})


def _read(content: object) -> Tree:
    return from_json(json.dumps(content).encode(), Tree, schema="tree-1")


def _content(**changes: object) -> dict[str, object]:
    return {"schema": "tree-1", "kind": "oak", "age": 1, "height": 2.0, "width": None, "is_tall": True, **changes}


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


floats = st.floats(allow_nan=True, allow_infinity=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: not (isinstance(value, dict) and "float" in value))
trees = st.builds(
    Tree,
    kind=st.sampled_from(["oak", "elm"]),
    age=st.integers(),
    height=floats,
    width=st.none() | st.floats(allow_nan=False),
    is_tall=st.booleans(),
    note=st.none() | st.text(),
    leaves=st.lists(st.builds(Leaf, name=st.text(), value=floats), max_size=3).map(tuple),
    sizes=st.dictionaries(st.text(), floats, max_size=3),
    anything=st.dictionaries(st.text(), values, max_size=3),
)


@given(trees)
def test_what_is_read_is_what_was_written(tree: Tree):
    data = to_json(tree, schema="tree-1")

    json.loads(data, parse_constant=_refuse_constant)
    # repr, because nan is not equal to itself
    assert repr(from_json(data, Tree, schema="tree-1")) == repr(tree)


def test_how_it_looks():
    content = json.loads(to_json(TREE, schema="tree-1", derived={"num_leaves": 2}))

    assert list(content)[-1] == "checksum"
    assert re.fullmatch("crc32c:[0-9a-f]{8}", content.pop("checksum"))
    assert "checksum" not in json.loads(to_json(TREE, schema="tree-1", is_sealed=False))
    assert content == {
        "schema": "tree-1",
        "kind": "oak",
        "age": 100,
        "height": 12.5,
        "width": None,
        "is_tall": True,
        "note": "old",
        "leaves": [{"name": "a", "value": 1.0}, {"name": "b", "value": None}],
        "sizes": {"x": {"float": "inf"}},
        "anything": {},
        "num_leaves": 2,
    }


def test_numpy_numbers_are_numbers():
    tree = Tree("elm", np.int64(3), np.float32(1.5), None, np.bool_(True), anything={"n": np.uint8(7), "x": np.nan})

    read = from_json(to_json(tree, schema="tree-1"), Tree, schema="tree-1")

    assert (read.age, read.height, read.is_tall, read.anything) == (3, 1.5, True, {"n": 7, "x": None})


def test_what_has_no_form_in_json_is_refused():
    with pytest.raises(TypeError, match="set"):
        to_json(Tree("elm", 1, 1.0, None, True, anything={"x": {1}}), schema="tree-1")


def test_whole_numbers_are_numbers_and_keys_of_later_versions_are_passed_over():
    tree = _read(_content(height=2, later="something"))

    assert (tree.height, type(tree.height)) == (2.0, float)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"age": 1.5}, r"expected int, found float @ \$\.age"),
        ({"age": True}, r"expected int, found bool @ \$\.age"),
        ({"age": None}, r"expected int, found NoneType @ \$\.age"),
        ({"height": "2"}, r"found str @ \$\.height"),
        ({"height": {"float": "nan"}}, r"expected a number, found an object @ \$\.height"),
        ({"kind": "fir"}, r"expected one of oak, elm, found 'fir' @ \$\.kind"),
        ({"kind": ["oak"]}, r"expected str, found list @ \$\.kind"),
        ({"note": 3}, r"expected NoneType or str, found int @ \$\.note"),
        ({"leaves": [{"name": "a", "value": 1}, {"name": "b"}]}, r"expected value, found nothing @ \$\.leaves\[1\]"),
        ({"leaves": {}}, r"expected list, found dict @ \$\.leaves"),
        ({"sizes": {"x": "y"}}, r"found str @ \$\.sizes\.x"),
        ({"schema": "tree-2"}, r"expected schema tree-1, found 'tree-2'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes: dict[str, object], problem: str):
    with pytest.raises(ValueError, match=problem):
        _read(_content(**changes))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b'{"schema": "tree-1"', b"[" * 100_000])
def test_bytes_that_are_no_record(data: bytes):
    with pytest.raises(ValueError, match="JSON|schema"):
        from_json(data, Tree, schema="tree-1")


@given(st.integers(0), st.integers(0, 255))
def test_damage_is_refused_or_harmless(position: int, byte: int):
    data = bytearray(to_json(TREE, schema="tree-1"))
    data[position % len(data)] = byte

    try:
        read = from_json(bytes(data), Tree, schema="tree-1")
    except ValueError:
        return
    assert isinstance(read, Tree)


def test_every_flipped_bit_in_what_is_read_back_is_found():
    data = to_json(TREE, schema="tree-1")
    assert from_json(data, Tree, schema="tree-1") == from_json(data.replace(b"\n", b" \n"), Tree, schema="tree-1")
    for place in range(8 * len(data.rstrip())):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"checksum|JSON"):
            from_json(bytes(damaged), Tree, schema="tree-1")


def test_what_has_no_checksum_is_read_as_before():
    data = to_json(TREE, schema="tree-1", is_sealed=False)
    assert from_json(data.replace(b"100", b"101"), Tree, schema="tree-1").age == 101
