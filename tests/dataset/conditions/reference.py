"""Conditions with what they mean, in plain Python: each is made as a text and as a function of one row."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A part of a condition."""

    text: str
    binds: int
    """As in Python, where `&` is `and`: 1 `or`, 2 `and`, 3 `not`, 4 comparisons, 5 sums, 6 products, 7 signs, 9 the rest."""
    of: Callable[[Row], Any]
    """What it is worth; None where it is missing."""

    def within(self, binds: int) -> str:
        """Its text inside an operation that binds as strongly."""
        return self.text if self.binds >= binds else f"({self.text})"


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
NUMBERS = {"num_frames": "num_frames", "quality.skew": "quality.skew", "`grip N`": "grip N"}
TEXTS = {"task": "task", "episode": "episode"}
WORDS = ("pick", "place", "Pick up", "", "é", "a'b", 'say "hi"', "back\\slash", "#", "`", "x\ny")


def compare(sign: str, left: Any, right: Any) -> bool:
    """What is missing is never more, less or equal, and always different."""
    if left is None or right is None:
        return sign == "!="
    return COMPARE[sign](left, right)


def _divided(left: float, right: float) -> float | None:
    if right:
        return left / right
    return None if left == 0 or math.isnan(left) else math.copysign(math.inf, left)


def _floor_divided(left: float, right: float) -> float | None:
    return left // right if right else _divided(left, right)


def _modulo(left: float, right: float) -> float | None:
    return left % right if right else None


COMPUTE: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "+": (5, operator.add),
    "-": (5, operator.sub),
    "*": (6, operator.mul),
    "/": (6, _divided),
    "//": (6, _floor_divided),
    "%": (6, _modulo),
}


def _computed(sign: str, left: Part, right: Part) -> Part:
    binds, compute = COMPUTE[sign]

    def of(row: Row) -> Any:
        x, y = left.of(row), right.of(row)
        found = None if x is None or y is None else compute(x, y)
        return None if isinstance(found, float) and math.isnan(found) else found

    return Part(f"{left.within(binds)} {sign} {right.within(binds + 1)}", binds, of)


def _minus(operand: Part) -> Part:
    def of(row: Row) -> Any:
        found = operand.of(row)
        return None if found is None else -found

    return Part(f"-{operand.within(7)}", 7, of)


def _constant(value: float | str) -> Part:
    return Part(repr(value), 9 if isinstance(value, str) or value >= 0 else 7, lambda _: value)


def _column(name: str, key: str) -> Part:
    return Part(name, 9, lambda row: row[key])


def _compared(sign: str, left: Part, right: Part) -> Part:
    return Part(f"{left.within(5)} {sign} {right.within(5)}", 4, lambda row: compare(sign, left.of(row), right.of(row)))


def _chained(first: str, second: str, left: Part, middle: Part, right: Part) -> Part:
    return Part(
        f"{left.within(5)} {first} {middle.within(5)} {second} {right.within(5)}",
        4,
        lambda row: compare(first, left.of(row), middle.of(row)) and compare(second, middle.of(row), right.of(row)),
    )


def _among(operand: Part, items: list[Any], *, is_in: bool, is_list: bool) -> Part:
    said = ", ".join(map(repr, items)) + (",)" if not is_list and items else ")" if not is_list else "")
    listed = f"[{said}]" if is_list else f"({said}"
    word = "in" if is_in else "not in"
    return Part(f"{operand.within(5)} {word} {listed}", 4, lambda row: (operand.of(row) in items) == is_in)


def _joined(word: str, parts: list[Part]) -> Part:
    is_and = word in ("and", "&")
    binds, together = (2, all) if is_and else (1, any)
    text = f" {word} ".join(part.within(binds + 1) for part in parts)
    return Part(text, binds, lambda row: together([part.of(row) for part in parts]))


def _not(operand: Part) -> Part:
    return Part(f"not {operand.within(3)}", 3, lambda row: not operand.of(row))


def _opposite(operand: Part) -> Part:
    return Part(f"~{operand.within(7)}", 7, lambda row: not operand.of(row))


def _asked(name: str, argument: str, test: Callable[[str, str], bool], operand: Part) -> Part:
    def of(row: Row) -> bool:
        text = operand.of(row)
        return text is not None and test(text, argument)

    extra = ", regex=False" if name == "contains" else ""
    return Part(f"{operand.within(9)}.str.{name}({argument!r}{extra})", 9, of)


def _changed(name: str, operand: Part) -> Part:
    def of(row: Row) -> Any:
        text = operand.of(row)
        return None if text is None else getattr(text, name)()

    return Part(f"{operand.within(9)}.str.{name}()", 9, of)


def _length(operand: Part) -> Part:
    def of(row: Row) -> Any:
        text = operand.of(row)
        return None if text is None else len(text)

    return Part(f"{operand.within(9)}.str.len()", 9, of)


def _missing(operand: Part, *, is_na: bool) -> Part:
    name = "isna" if is_na else "notna"
    return Part(f"{operand.within(9)}.{name}()", 9, lambda row: (operand.of(row) is None) == is_na)


def _between(operand: Part, least: float, most: float) -> Part:
    def of(row: Row) -> bool:
        value = operand.of(row)
        return value is not None and least <= value <= most

    return Part(f"{operand.within(9)}.between({least}, {most})", 9, of)


def _filled(operand: Part, filler: float) -> Part:
    def of(row: Row) -> Any:
        value = operand.of(row)
        return filler if value is None else value

    return Part(f"{operand.within(9)}.fillna({filler})", 9, of)


_values = st.integers(-9, 9) | st.integers(-36, 36).map(lambda quarters: quarters / 4)
_words = st.sampled_from(WORDS)
_text_columns = st.sampled_from(sorted(TEXTS)).map(lambda name: _column(name, TEXTS[name]))
_texts = st.recursive(
    _text_columns, lambda inner: st.builds(_changed, st.sampled_from(("lower", "upper", "strip")), inner), max_leaves=3
)
_number_columns = st.sampled_from(sorted(NUMBERS)).map(lambda name: _column(name, NUMBERS[name]))
_numbers = st.recursive(
    _number_columns | _values.map(_constant) | _texts.map(_length),
    lambda inner: (
        st.builds(_computed, st.sampled_from(sorted(COMPUTE)), _number_columns, inner)
        | st.builds(_computed, st.sampled_from(sorted(COMPUTE)), inner, _number_columns)
        | inner.map(_minus)
    ),
    max_leaves=5,
)
_signs = st.sampled_from(sorted(COMPARE))
_comparisons = st.one_of(
    st.builds(_compared, _signs, _number_columns, _numbers),
    st.builds(_compared, _signs, _numbers, _number_columns),
    st.builds(_chained, _signs, _signs, _numbers, _number_columns, _numbers),
    st.builds(_compared, _signs, _texts, _words.map(_constant)),
    st.builds(_compared, _signs, _words.map(_constant), _texts),
    st.builds(_compared, _signs, _texts, _texts),
    st.builds(_among, _texts, st.lists(_words, max_size=4), is_in=st.booleans(), is_list=st.booleans()),
    st.builds(_among, _number_columns, st.lists(_values, max_size=4), is_in=st.booleans(), is_list=st.booleans()),
    st.builds(_asked, st.just("contains"), _words, st.just(lambda text, part: part in text), _texts),
    st.builds(_asked, st.just("startswith"), _words, st.just(str.startswith), _texts),
    st.builds(_asked, st.just("endswith"), _words, st.just(str.endswith), _texts),
    st.builds(_missing, _texts | _number_columns, is_na=st.booleans()),
    st.builds(_between, _number_columns, _values, _values),
    st.builds(_compared, _signs, st.builds(_filled, _number_columns, st.integers(-9, 9)), _numbers),
    st.just(_column("is_checked", "is_checked")),
)
conditions: st.SearchStrategy[Part] = st.recursive(
    _comparisons,
    lambda inner: (
        st.builds(_joined, st.sampled_from(("and", "or", "&", "|")), st.lists(inner, min_size=2, max_size=4))
        | inner.map(_not)
        | inner.map(_opposite)
    ),
    max_leaves=8,
)
"""Conditions that name a column."""

rows: st.SearchStrategy[list[Row]] = st.lists(
    st.fixed_dictionaries(
        {
            "episode": _words,
            "task": st.none() | _words,
            "num_frames": st.integers(-9, 9),
            "quality.skew": st.none() | st.integers(-36, 36).map(lambda quarters: quarters / 4),
            "grip N": st.none() | st.integers(-9, 9).map(float),
            "is_checked": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)
