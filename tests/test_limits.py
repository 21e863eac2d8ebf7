from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bagmill.errors import LimitError, SettingsError
from bagmill.limits import Limits, limits, set_limits
from bagmill.limits_file import load_limits

DOCS = Path(__file__).parents[1] / "docs" / "limits.md"


@pytest.fixture
def as_before() -> Iterator[None]:
    before = limits()
    yield
    set_limits(before)


def test_what_is_above_an_entry_is_refused_with_both_numbers_and_the_entry() -> None:
    Limits().check("pixels", 1000, what="a picture's size")
    with pytest.raises(LimitError) as refused:
        Limits(pixels=1000).check("pixels", 1001, what="a picture's size", path="run.mcap")
    assert str(refused.value) == (
        "run.mcap: a picture's size is 1,001 where at most 1,000 is taken. "
        "If this is as it should be, set a higher `pixels` under `limits` (docs/limits.md)."
    )


def test_limits_hold_for_the_whole_process(as_before: None) -> None:
    set_limits(Limits(nesting=3))
    assert limits().nesting == 3
    assert limits().pixels == Limits().pixels


def test_a_file_sets_some_and_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("nesting: 9\n")
    monkeypatch.setenv("BAGMILL_LIMITS", str(file))
    assert load_limits() == Limits(nesting=9)
    monkeypatch.delenv("BAGMILL_LIMITS")
    assert load_limits() == Limits()


@pytest.mark.parametrize(
    ("text", "problem"), [("nestings: 9", "no such setting @ $.nestings"), ("nesting: 0", "$.nesting")]
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_limits(file)
    assert problem in str(refused.value)


def test_the_documentation_lists_every_limit_with_its_default() -> None:
    rows = [line.split("|") for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    told = {row[1].strip().strip("`"): row[2].strip().replace(",", "") for row in rows}
    assert told == {
        name: f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
        for name, field in Limits.model_fields.items()
    }
