from fractions import Fraction

import numpy as np

from bagmill.drafts.required import LaidPart, RequiredChoice, choose_required

START_NS = 1_700_000_000_000_000_000
S = 1_000_000_000


def laid(
    first_s: float, last_s: float, *, rate_hz: float = 10, tolerance_ms: float = 250, valid_share: float = 1.0
) -> LaidPart:
    times = np.arange(first_s, last_s + 1e-9, 1 / rate_hz)
    return LaidPart(START_NS + (times * S).astype(np.int64), "linear", round(tolerance_ms * 1e6), valid_share)


def choose(features: dict[str, LaidPart]) -> RequiredChoice:
    return choose_required(
        {name: [part] for name, part in features.items()}, ranking=list(features), rate_hz=Fraction(10)
    )


def test_features_of_one_length_are_all_required() -> None:
    choice = choose({"camera": laid(0, 10), "state": laid(0.05, 9.95)})
    assert (choice.leading, choice.reasons, choice.least_covered_percent) == ("camera", {}, None)


def test_what_starts_late_or_ends_early_is_not_required() -> None:
    choice = choose({"camera": laid(0, 10), "late": laid(4, 10), "early": laid(0, 5)})
    assert choice.reasons == {"late": "starts 4 s late", "early": "ends 5 s early"}


def test_what_pauses_is_not_required() -> None:
    pausing = laid(0, 10)
    pausing = LaidPart(np.delete(pausing.stamps_ns, slice(30, 60)), "linear", pausing.tolerance_ns, 1.0)
    choice = choose({"camera": laid(0, 10), "state": pausing})
    assert choice.reasons == {"state": "covers 70 % of the ticks"}


def test_what_is_often_not_measured_is_not_required() -> None:
    choice = choose({"camera": laid(0, 10), "state": laid(0, 10, valid_share=0.9)})
    assert choice.reasons == {"state": "covers 90 % of the ticks"}


def test_a_camera_that_dies_early_does_not_lead() -> None:
    choice = choose({"camera": laid(0, 3), "state": laid(0, 60)})
    assert choice.leading == "state"
    assert choice.reasons == {"camera": "ends 57 s early"}


def test_pauses_of_the_leading_feature_are_allowed_for_what_pauses_with_it() -> None:
    pausing = laid(0, 10)
    pausing = LaidPart(np.delete(pausing.stamps_ns, slice(30, 42)), "linear", pausing.tolerance_ns, 1.0)
    choice = choose({"position": pausing, "orientation": pausing})
    assert choice.reasons == {}
    assert choice.least_covered_percent is not None
    assert 75 <= choice.least_covered_percent < 88


def test_what_is_recorded_at_another_time_is_not_required() -> None:
    choice = choose({"camera": laid(0, 10), "state": laid(11, 12)})
    assert choice.reasons == {"state": "never while camera is recorded"}


def test_where_no_feature_lasts_the_timeline_is_as_long_as_any() -> None:
    choice = choose({"camera": laid(0, 4), "state": laid(5, 10)})
    assert choice.span == "union"
    assert choice.reasons == {
        "camera": "lasts for 40 % of the recording",
        "state": "lasts for 50 % of the recording",
    }
