import pytest

from bagmill.cli.wording import (
    bare_number_text,
    columns_text,
    counted,
    duration_text,
    number_text,
    printable,
    rate_text,
    size_text,
    stamp_text,
)
from bagmill.quality.fidelity import MAX_PSNR_DB

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (24_500, "24.5 kB"), (999_950, "1 MB"), (1_310_000_000, "1.31 GB")],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0 s"),
        (12, "12 ns"),
        (8_300_000, "8.3 ms"),
        (-8_300_000, "−8.3 ms"),
        (12_500_000_000, "12.5 s"),
        (119 * SECOND_NS, "119 s"),
        (889 * SECOND_NS, "14 min 49 s"),
        (12_000 * SECOND_NS, "3 h 20 min"),
        (4 * 86_400 * SECOND_NS, "4.0 days"),
        (1_700_000_000 * SECOND_NS, "53.9 years"),
    ],
)
def test_durations(duration_ns: int, text: str) -> None:
    assert duration_text(duration_ns) == text


@pytest.mark.parametrize(
    ("stamp_ns", "text"),
    [
        (1_700_000_000_123_456_789, "2023-11-14 22:13:20.123 UTC"),
        (0, "1970-01-01 00:00:00.000 UTC"),
        (-1, "1969-12-31 23:59:59.999 UTC"),
        (2**63 - 1, "2262-04-11 23:47:16.854 UTC"),
    ],
)
def test_stamps(stamp_ns: int, text: str) -> None:
    assert stamp_text(stamp_ns) == text


def test_a_date_beyond_every_calendar_is_a_number() -> None:
    assert stamp_text(10**21) == f"{10**21} ns"


def test_rates_and_numbers() -> None:
    assert rate_text(29.97003) == "29.97 Hz"
    assert rate_text(float("nan")) == "–"
    assert number_text(41.2345, "dB") == "41.23 dB"
    assert number_text(MAX_PSNR_DB, "dB") == "exact"
    assert number_text(99.99, "dB") == "99.99 dB"
    assert number_text(100.0, "ms") == "100 ms"
    assert [bare_number_text(value, "dB") for value in (44.5, 100.0, float("nan"))] == ["44.5", "exact", "–"]
    assert bare_number_text(100.0, "%") == "100"
    assert number_text(1_234_567.0) == "1,234,567"
    assert number_text(float("nan"), "dB") == "–"
    assert number_text(float("-inf")) == "−∞"
    assert number_text(0.0, "ms") == "0 ms"


def test_counts() -> None:
    assert counted(1, "message") == "1 message"
    assert counted(12_000, "message") == "12,000 messages"


def test_control_sequences_and_broken_names_are_escaped() -> None:
    assert printable("/arm\x1b[31m\n") == "/arm\\x1b[31m\\n"
    assert printable("caf\udce9") == "caf\\udce9"
    assert printable("/Büro × µ") == "/Büro × µ"


@pytest.mark.parametrize(
    ("names", "units", "is_named", "text"),
    [
        ((), (), False, ""),
        (("pan", "tilt"), ("rad", "rad"), True, "pan, tilt (rad)"),
        (("pan", "grip", "mode"), ("rad", "m", None), True, "pan (rad), grip (m), mode"),
        (("pan",), (None,), True, "pan"),
        (("r[0]", "r[1]", "r[2]"), ("m",) * 3, False, "r[0] … r[2] (m), by place"),
        (("range",), (None,), False, "range, by place"),
        (("pan", "r"), ("rad", "m"), False, "pan (rad), r (m), by place"),
    ],
)
def test_columns(names: tuple[str, ...], units: tuple[str | None, ...], is_named: bool, text: str) -> None:
    assert columns_text(names, units, is_named=is_named) == text


def test_only_numbered_columns_are_cut_short() -> None:
    assert columns_text(["r[0]", "r[1]", "r[2]"], ["m"] * 3, is_named=False) == "r[0] … r[2] (m), by place"
    listed = columns_text(["voltage", "current", "percentage"], [None] * 3, is_named=False)
    assert listed == "voltage, current, percentage, by place"
