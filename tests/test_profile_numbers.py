"""Numbers of a profile that overflow, never end, or are none."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bagmill.errors import ProfileError
from bagmill.profile import parse_profile


def profile(**changes: Any) -> dict[str, Any]:
    """A profile with some settings at the top (`rate_hz`) or of its features (`s_tolerance_ms`, `d_scale_m`, `i_quality`)."""
    features = {"s": {"channel": "/s", "field": "q"}, "depth/d": {"channel": "/d"}, "images/i": {"channel": "/i"}}
    content: dict[str, Any] = {"name": "p", "rate_hz": 30, "features": features}
    for key, value in changes.items():
        name = {"s": "s", "d": "depth/d", "i": "images/i"}.get(key[0]) if key[1] == "_" else None
        if name is None:
            content[key] = value
        else:
            features[name][key[2:]] = value
    return content


EVERYWHERE: tuple[Any, ...] = (
    *(float("nan"), float("inf"), 1e308, "1e400", -1, 0, True, 10**5000, "x" * 100_000, [], {}, "\ud800"),
    *("1e-99999999", "1e99999999", "9" * 100_000),
)


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("rate_hz", "$.rate_hz"),
        ("audit_frames", "$.audit_frames"),
        ("s_tolerance_ms", "$.features.s.tolerance_ms"),
        ("s_expected_rate_hz", "$.features.s.expected_rate_hz"),
        ("d_scale_m", "$.features.depth/d.scale_m"),
        ("i_quality", "$.features.images/i.quality"),
    ],
)
def test_what_is_no_number_to_work_with_is_refused_at_its_place(key: str, place: str) -> None:
    for value in EVERYWHERE:
        before = time.monotonic()
        with pytest.raises(ProfileError) as refused:
            parse_profile(profile(**{key: value}))
        assert place in str(refused.value)
        assert len(str(refused.value)) < 1000
        assert time.monotonic() - before < 2


@pytest.mark.parametrize(
    "rate", [1e-308, 1e-5, "1/86401", "1" + "0" * 18 + "/3", "1/0", "0/1", "1_000", "١", "0x10", "", "."]
)
def test_rates_that_no_timeline_has_are_refused(rate: object) -> None:
    with pytest.raises(ProfileError, match=r"\$\.rate_hz"):
        parse_profile(profile(rate_hz=rate))


@pytest.mark.parametrize(
    ("rate", "exact"),
    [(29.97, "2997/100"), ("30000/1001", "30000/1001"), ("1e2", "100"), (" .5 ", "1/2"), (100_000, "100000")],
)
def test_rates_that_one_has_are_exact(rate: object, exact: str) -> None:
    assert str(parse_profile(profile(rate_hz=rate)).rate_hz) == exact


def test_names_of_files_have_a_length() -> None:
    with pytest.raises(ProfileError, match="at most 200 characters"):
        parse_profile(profile(name="x" * 201))
    content = profile()
    content["features"]["images/" + "x" * 201] = {"channel": "/x"}
    with pytest.raises(ProfileError, match="at most 200 characters"):
        parse_profile(content)


@pytest.mark.parametrize("folder", ["x" * 10_000, "\ud800", "a\0b"])
def test_a_folder_that_cannot_be_is_refused(folder: str) -> None:
    with pytest.raises(ProfileError, match=r"\$\.definitions"):
        parse_profile(profile(definitions=folder))
