from importlib.metadata import EntryPoint

import pytest

from bagmill import registry
from bagmill.errors import RegistryError
from bagmill.registry import Registry


def test_registered_implementations_are_found_by_name_in_order():
    rules: Registry[str] = Registry("alignment rule", "bagmill.test.none")
    rules.register("nearest", "N")
    rules.register("latest", "L")
    assert list(rules) == ["nearest", "latest"]
    assert rules["latest"] == "L"
    assert "latest" in rules
    assert "linear" not in rules
    assert len(rules) == 2


def test_a_name_is_given_once():
    rules: Registry[str] = Registry("alignment rule", "bagmill.test.none")
    rules.register("nearest", "N")
    with pytest.raises(RegistryError, match="two implementations of the alignment rule 'nearest'"):
        rules.register("nearest", "other")
    assert rules["nearest"] == "N"


def test_an_unknown_name_is_told_the_known_ones():
    rules: Registry[str] = Registry("alignment rule", "bagmill.test.none")
    rules.register("nearest", "N")
    rules.register("latest", "L")
    with pytest.raises(RegistryError, match=r"no alignment rule is called 'spline'. Known: latest, nearest\."):
        rules["spline"]


def test_entry_points_of_other_distributions_join(monkeypatch: pytest.MonkeyPatch):
    # An installed distribution is what an entry point needs; its record is enough.
    points = (EntryPoint("pi", "math:pi", "bagmill.test.numbers"),)
    monkeypatch.setattr(registry, "entry_points", lambda *, group: [p for p in points if p.group == group])
    numbers: Registry[float] = Registry("number", "bagmill.test.numbers")
    numbers.register("two", 2.0)
    assert numbers["pi"] == pytest.approx(3.14159, abs=1e-5)
    assert list(numbers) == ["two", "pi"]
