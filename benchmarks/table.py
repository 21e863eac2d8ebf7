"""Tables of figures: records with units in their keys, written as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    """Of the records."""
    header: str
    format: str = ""
    """How its numbers are written, as `format` takes it: `.1f`, `,.0f`; empty: as they are."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a benchmark prints, and keeps."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Record] = field(default_factory=list)
    notes: Sequence[str] = ()
    """Sentences below it: what was skipped and why, where the frames are from."""

    def markdown(self, *, level: int = 2) -> str:
        """The table under its title.

        Args:
            level: Of the title among headings.
        """
        is_text = [all(isinstance(row.get(column.key), str) for row in self.rows) for column in self.columns]
        lines = [
            f"{'#' * level} {self.title}",
            "",
            f"| {' | '.join(column.header for column in self.columns)} |",
            f"|{'|'.join('---' if left else '--:' for left in is_text)}|",
        ]
        lines += (f"| {' | '.join(_cell(row.get(c.key), c.format) for c in self.columns)} |" for row in self.rows)
        lines += ([""] if self.notes else []) + [f"- {note}" for note in self.notes]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain values; `Table.from_json` gives the table back."""
        columns = [{"key": c.key, "header": c.header, "format": c.format} for c in self.columns]
        return {"title": self.title, "columns": columns, "rows": list(map(dict, self.rows)), "notes": list(self.notes)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Table:
        """What `as_json` gave."""
        columns = [Column(**column) for column in content["columns"]]
        return cls(content["title"], columns, content["rows"], content["notes"])


def _cell(value: str | float | bool | None, form: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else format(value, form)
