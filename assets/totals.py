"""Sums over episodes as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from assets.markdown import md_table
from bagmill.cli.wording import size_text
from bagmill.dataset import GroupTotals, Totals

_MOST_ROWS: Final = 30
_NUMBERS: Final = ("episodes →", "hours →", "frames →", "recordings →", "stored →")


def totals_table(columns: Sequence[str], groups: Sequence[GroupTotals]) -> str:
    """Groups of episodes with their sums; those beyond the thirtieth are told by their number.

    Args:
        columns: What the groups' names are.
        groups: The largest first.
    """
    shown = md_table(
        (*columns, *_NUMBERS),
        [(*(name or "–" for name in group.names), *_numbers(group.totals)) for group in groups[:_MOST_ROWS]],
    )
    num_more = len(groups) - _MOST_ROWS
    return f"{shown}\n\n… and {num_more:,} more" if num_more > 0 else shown


def hours(totals: Totals) -> float:
    """Of all episodes together."""
    return totals.duration_s / 3600


def _numbers(totals: Totals) -> tuple[str, ...]:
    return (
        f"{totals.num_episodes:,}",
        f"{hours(totals):,.2f}",
        f"{totals.num_frames:,}",
        size_text(totals.raw_bytes),
        size_text(totals.stored_bytes),
    )
