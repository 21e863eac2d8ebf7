"""What a check's result says of its measurements."""

import math
from typing import Any, Literal

import pytest

from bagmill.quality import CheckResult, Measurement


def result(
    *measurements: Measurement,
    failed: tuple[str, ...] = (),
    severity: Literal["error", "warn"] = "error",
    direction: Any = "lower",
) -> CheckResult:
    return CheckResult("gaps", "recording", "periods", direction, 5.0, severity, "…", measurements, failed)


@pytest.mark.parametrize(("direction", "worst"), [("lower", 3.0), ("higher", 1.0)])
def test_the_worst_value_is_the_furthest_on_the_wrong_side(direction: str, worst: float) -> None:
    values = [Measurement("a", 1.0), Measurement("b", 3.0), Measurement("c", math.nan)]
    assert result(*values, direction=direction).worst == worst


def test_what_is_not_judged_is_the_worst_only_where_nothing_is() -> None:
    loose = Measurement("a", 900.0, is_judged=False)
    assert result(loose, Measurement("b", 2.0)).worst == 2.0
    assert result(loose, Measurement("b", math.nan)).worst == 900.0
    assert math.isnan(result(Measurement("b", math.nan)).worst)


def test_only_a_failed_error_blocks() -> None:
    assert not result().is_blocking
    assert result().is_passed
    assert result(failed=("a",)).is_blocking
    assert not result(failed=("a",)).is_passed
    assert not result(failed=("a",), severity="warn").is_blocking
