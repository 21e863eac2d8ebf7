"""IDL read into sections: numbers by expressions, several members at once, and what is refused while it is read."""

from __future__ import annotations

import contextlib

import pytest

from bagmill.definitions import UnreadableDefinitionError
from bagmill.definitions.idl import parse_idl


def in_struct(members: str, before: str = "") -> str:
    return f"module a {{ module msg {{ {before} struct B {{ {members} }}; }}; }};"


def entries(members: str, before: str = "") -> list[tuple[object, ...]]:
    return [tuple(entry) for entry in parse_idl(in_struct(members, before))["a/msg/B"]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("3", 3),
        ("0x10", 16),
        ("010", 8),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("1 << 4 | 1", 17),
        ("7 / 2 % 2", 1),
        ("-1 + 6", 5),
        ("~0 & 6", 6),
        ("5 ^ 1", 4),
        ("N - M", 3),
        ("10 - 3 - 2", 5),
    ],
)
def test_a_length_is_what_its_expression_means(expression: str, value: int) -> None:
    constants = "const long M = 2; const unsigned short N = M * 2 + 1;"
    assert entries(f"double x[{expression}];", constants) == [("float64", str(value), "x", None, "")]


def test_members_aliases_and_names_inside_out() -> None:
    assert entries(
        "arr q; sequence<C, N> c; string<N> s; long long x[2], y; ::b::msg::D d; msg::C e;",
        "typedef double arr[3]; const long N = 4; enum K { ONE, TWO }; struct C; struct C { octet o; };",
    ) == [
        ("float64", "3", "q", None, ""),
        ("a/msg/C", "<=4", "c", None, ""),
        ("string", None, "s", None, "<=4"),
        ("int64", "2", "x", None, ""),
        ("int64", None, "y", None, ""),
        ("b/msg/D", None, "d", None, ""),
        ("a/msg/C", None, "e", None, ""),
    ]


def test_what_looks_like_a_comment_inside_a_text_is_text() -> None:
    found = parse_idl(
        'module a { module msg { module B_Constants { const string U = "http://x/*"; }; struct B { long x; }; }; };'
    )
    assert found["a/msg/B"][0].constant == "http://x/*"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (in_struct("long x[N];", "const long N = 1 << 9999999999;"), "shifts by 9999999999"),
        (in_struct("long x[1 << 62 << 62];"), "does not fit 64 bits"),
        (in_struct("long x[1 / 0];"), "divides by zero"),
        (in_struct("long x[-1];"), "has -1 where a length is due"),
        (in_struct("long x[1.5];"), "'1.5' where a whole number is due"),
        (in_struct("long x[" + "9" * 5000 + "];"), "where a whole number is due"),
        (in_struct("long x[N];", "const long N = M; const long M = N;"), "hangs on too many others"),
        (in_struct("long x[" + "(" * 100_000 + "1" + ")" * 100_000 + "];"), "hangs on too many others"),
        (
            in_struct(
                "long x[N60];", "const long N0 = 1;" + "".join(f"const long N{n + 1} = N{n} + N{n};" for n in range(60))
            ),
            "a number without end",
        ),
        (in_struct("sequence<sequence<double>> x;"), "lists of lists"),
        (in_struct("arr x[2];", "typedef double arr[3];"), "lists of lists"),
        (in_struct("sequence<" * 100_000), "lists of lists"),
        ("module a { " * 100_000, "modules inside too many others"),
        ("/" + "*" * 2_000_000, "breaks off|where a definition is due"),
    ],
)
def test_what_asks_for_too_much_is_refused(text: str, says: str) -> None:
    if says.startswith("breaks"):
        assert parse_idl(text) == {}, "a comment that is never closed"
        return
    with pytest.raises(UnreadableDefinitionError, match=says):
        parse_idl(text)


@pytest.mark.parametrize(
    "text",
    ['"' + '\\"' * 500_000, "/*" * 500_000, "@a(" * 100_000, "; " * 500_000, "=" * 1_000_000 + "x", '"' * 500_001],
)
def test_long_texts_are_gone_through_once(text: str) -> None:
    """A second or two; what goes back at every character takes hours."""
    with contextlib.suppress(UnreadableDefinitionError):
        assert not parse_idl(text)
