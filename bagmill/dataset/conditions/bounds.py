"""What a condition may cost at most, and the error of one that costs more or cannot be understood."""

from __future__ import annotations

import time
from typing import Final

from bagmill.errors import QueryError

MOST_CHARACTERS: Final = 100_000
"""Of a condition's text."""
MOST_NODES: Final = 1_000
"""Operations, names and values in it; the items of lists are counted by themselves."""
MOST_NESTING: Final = 50
"""Parentheses, signs and operations inside one another."""
MOST_ITEMS: Final = 10_000
"""Of one list."""
MOST_PATTERN: Final = 1_000
"""Characters of a regular expression."""
MOST_FILLER: Final = 1_000
"""Characters of a text that stands for what is missing: it may stand in every row."""
MOST_SECONDS: Final = 30.0
"""Of evaluating one condition."""
WHOLE_NUMBERS: Final = 2**63
"""Whole numbers are smaller than this in size."""
LANGUAGE: Final = "A condition is written as in pandas' DataFrame.query: num_frames > 100 and task == 'pick'"
_MOST_TOLD: Final = 200


class UnfitError(Exception):
    """What an operation cannot be done with, told without the condition around it.

    Args:
        problem: A clause that goes on from the operation's own text.
        remedy: What to write instead.
    """

    def __init__(self, problem: str, remedy: str = LANGUAGE) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class Deadline:
    """When a condition has taken as long as it may."""

    def __init__(self) -> None:
        self._end_s = time.monotonic() + MOST_SECONDS

    def check(self) -> None:
        """Go on, unless it is over.

        Raises:
            UnfitError: It is.
        """
        if time.monotonic() > self._end_s:
            raise UnfitError(
                f"takes more than {MOST_SECONDS:.0f} s", "Ask for less, or with a simpler regular expression"
            )


def wrong(where: str, what: str, remedy: str = LANGUAGE) -> QueryError:
    """The error of a condition, with its text as far as it can be read at a glance."""
    return QueryError(f"the condition {shortened(where)!r} {what}", remedy=remedy)


def shortened(text: str) -> str:
    """A text's beginning, where it is longer than a message should be."""
    return text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]}…"
