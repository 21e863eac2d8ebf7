"""Pages of Markdown, as the web UI shows them: tables, pictures that travel in the page itself."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence


class Markdown(str):
    """Text that is Markdown already, a link for one: a table takes it as it is."""

    __slots__ = ()


def md_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; columns whose name ends in `→` are set flush right."""
    names = [_cell(column.removesuffix("→").strip()) for column in columns]
    rules = ["---:" if column.endswith("→") else "---" for column in columns]
    lines = [names, rules, *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def md_picture(data: bytes, *, alt: str, kind: str = "png") -> str:
    """A picture.

    Args:
        data: Its file's bytes.
        alt: What it shows, for those who do not see it.
        kind: What the file is: `png`, `avif`.
    """
    return f"![{alt}](data:image/{kind};base64,{base64.b64encode(data).decode('ascii')})"


def md_page(*parts: str | None) -> str:
    """Paragraphs, headings and tables, one below the other; None is left out."""
    return "\n\n".join(part for part in parts if part)


def md_text(text: str) -> str:
    """Text from files and users, as it stands: nothing in it is a heading, a link, or HTML."""
    return "".join(f"\\{char}" if char in _MARKS else char for char in " ".join(text.split()))


_MARKS = frozenset("\\`*_{}[]<>#|!~$&")


def _cell(value: object) -> str:
    return md_text(value) if isinstance(value, str) and not isinstance(value, Markdown) else str(value)
