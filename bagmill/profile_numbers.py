"""Numbers in a profile: what can be meant, and nothing that overflows or never ends behind it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

_RATE: Final = re.compile(r"\s*(?:\d{1,18}/\d{1,18}|\d{0,18}\.?\d{0,18}(?:[eE][+-]?\d{1,2})?)\s*", re.ASCII)


def _no_boolean(value: object) -> object:
    # YAML reads `yes` and `on` as true, and pydantic true as 1.
    if isinstance(value, bool):
        raise ValueError(f"expected a number, found {str(value).lower()}")  # noqa: TRY004 - pydantic tells ValueErrors
    return value


def _exact_rate(rate: object) -> object:
    if isinstance(rate, bool) or not isinstance(rate, int | float | str | Fraction):
        raise ValueError("a number of ticks a second, or a fraction such as 30000/1001")  # noqa: TRY004 - as above
    # str first: Fraction(29.97) would be the binary float's exact value, not 2997/100.
    return parse_fraction(str(rate))


def parse_fraction(text: str) -> Fraction:
    """A number above 0, as a decimal or as a fraction, exact: `29.97`, `30000/1001`, `1e-3`.

    Raises:
        ValueError: It is none, or has more digits than anything measured; such are never unfolded, for 1e-99999999 is a
            hundred million digits.
    """
    try:
        if _RATE.fullmatch(text):
            return Fraction(text)
    except (ValueError, ZeroDivisionError):
        pass
    raise ValueError(f"{_shown(text)} is not a number or a fraction such as 30000/1001")


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a whole number of more than 40 digits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


LEAST_HZ: Final = Fraction(1, 86_400)
MOST_HZ: Final = 100_000
MOST_MS: Final = 86_400_000
LEAST_CHANNEL_HZ: Final = 1e-6
MOST_CHANNEL_HZ: Final = 1e6

Rate = Annotated[Fraction, Field(ge=LEAST_HZ, le=MOST_HZ), BeforeValidator(_exact_rate)]
"""Ticks a second, exact: from one a day to 100 kHz."""
Milliseconds = Annotated[float, Field(gt=0, le=MOST_MS), BeforeValidator(_no_boolean)]
"""Up to a day, which is the longest timeline."""
ChannelRate = Annotated[float, Field(ge=LEAST_CHANNEL_HZ, le=MOST_CHANNEL_HZ), BeforeValidator(_no_boolean)]
"""Messages a second."""
MetresPerCount = Annotated[float, Field(ge=1e-9, le=1e3), BeforeValidator(_no_boolean)]
Number = Annotated[float, BeforeValidator(_no_boolean)]
WholeNumber = Annotated[int, BeforeValidator(_no_boolean)]
