"""Numbers as people read them: sizes, durations, stamps, rates. Everything shown on a screen passes through here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

_SIZES = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))
_DURATIONS_NS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))
_MINUTE_NS = 60 * 1_000_000_000
_HOUR_NS = 60 * _MINUTE_NS
_DAY_NS = 24 * _HOUR_NS
_YEAR_NS = round(365.25 * _DAY_NS)


_MOST_FAULTS = 20
"""Shown on a screen of one recording."""
_EXACT_DB = 100.0
"""What equal pictures have, whose PSNR is infinite: `quality.fidelity.MAX_PSNR_DB`, which is not worth importing OpenCV."""


def printable(text: str) -> str:
    """Text with every character that is not printable written as an escape.

    Topics and reasons come from files: a control sequence in one must not reach the terminal, and bytes of a file name
    that are not UTF-8 cannot be printed at all.
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def first_faults(faults: Sequence[tuple[str, int]]) -> list[str]:
    """The first faults of a recording word for word, and how many more there are.

    Args:
        faults: Text, and how many faults it tells of.
    """
    num_more = sum(num for _, num in faults[_MOST_FAULTS:])
    more = [f"and {num_more:,} more faults (--json lists them)"] if num_more else []
    return [text for text, _ in faults[:_MOST_FAULTS]] + more


def columns_text(names: Sequence[str], units: Sequence[str | None], *, is_named: bool) -> str:
    """`shoulder, elbow (rad)`, `pan (rad), grip (m)`, `ranges[0] … ranges[359] (m), by place`; empty without names."""
    if not names:
        return ""
    suffix = "" if is_named else ", by place"
    if len({*units}) > 1:
        pairs = zip(names, units, strict=True)
        return f"{', '.join(f'{name} ({unit})' if unit else name for name, unit in pairs)}{suffix}"
    unit = next(iter(units), None)
    is_numbered = len(names) > 1 and all(name.endswith(f"[{place}]") for place, name in enumerate(names))
    listed = f"{names[0]} … {names[-1]}" if is_numbered else ", ".join(names)
    return f"{listed}{f' ({unit})' if unit else ''}{suffix}"


def size_text(size_bytes: int) -> str:
    """`512 B`, `24.5 kB`, `1.31 GB`; decimal units, three digits."""
    for unit_bytes, unit in _SIZES:
        if size_bytes >= 0.9995 * unit_bytes:
            return f"{_three_digits(size_bytes / unit_bytes)} {unit}"
    return f"{size_bytes} B"


def duration_text(duration_ns: int) -> str:
    """`0 s`, `8.3 ms`, `12.5 s`, `14 min 49 s`, `3 h 20 min`, `4.2 days`, `53.9 years`; a minus sign where negative."""
    sign, ns = ("−" if duration_ns < 0 else ""), abs(duration_ns)
    if ns >= _YEAR_NS:
        return f"{sign}{ns / _YEAR_NS:.1f} years"
    if ns >= 2 * _DAY_NS:
        return f"{sign}{ns / _DAY_NS:.1f} days"
    if ns >= _HOUR_NS:
        hours, minutes = divmod(round(ns / _MINUTE_NS), 60)
        return f"{sign}{hours} h {minutes} min"
    if ns >= 2 * _MINUTE_NS:
        minutes, seconds = divmod(round(ns / 1e9), 60)
        return f"{sign}{minutes} min {seconds} s"
    for unit_ns, unit in _DURATIONS_NS:
        if ns >= 0.9995 * unit_ns:
            return f"{sign}{_three_digits(ns / unit_ns)} {unit}"
    return f"{sign}{ns} ns" if ns else "0 s"


def stamp_text(stamp_ns: int) -> str:
    """`2023-11-14 22:13:20.000 UTC`, or the bare number where no calendar has the date."""
    seconds, ns = divmod(stamp_ns, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return f"{stamp_ns} ns"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{ns // 1_000_000:03d} UTC"


def rate_text(rate_hz: float) -> str:
    """`29.97 Hz`, `100 Hz`; `–` where there is none."""
    return "–" if math.isnan(rate_hz) else f"{rate_hz:.4g} Hz"


def number_text(value: float, unit: str = "") -> str:
    """A measured number with its unit; `–` where there was nothing to measure, `exact` for the PSNR of equal pictures."""
    if unit == "dB" and value >= _EXACT_DB:
        return "exact"
    if not math.isfinite(value):
        return "–" if math.isnan(value) else f"{'−' if value < 0 else ''}∞"
    # %g would write 1234567 as 1.235e+06
    if 0 < abs(value) < 1e-4:
        return f"≈ 0 {unit}".rstrip()
    text = f"{value:,.0f}" if abs(value) >= 10_000 or value == int(value) else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


def bare_number_text(value: float, unit: str) -> str:
    """The same where the unit stands beside it."""
    return number_text(value, unit).removesuffix(f" {unit}")


def fraction_text(fraction: Fraction) -> str:
    """`30` or `30000/1001`: as a profile takes it."""
    return str(fraction)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 message`, `2 messages`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
