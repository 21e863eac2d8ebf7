"""What the figures are made of."""

from benchmarks.rounds import Spread, paired_ratio, take_turns
from benchmarks.table import Column, Table


def test_contenders_take_turns() -> None:
    called: list[str] = []

    def count(name: str) -> int:
        called.append(name)
        return len(called)

    samples = take_turns({"a": lambda: count("a"), "b": lambda: count("b")}, num_rounds=3)
    assert called == ["a", "b"] * 3
    assert samples == {"a": [1, 3, 5], "b": [2, 4, 6]}


def test_ratios_are_taken_within_a_round() -> None:
    # The third round ran on a busy machine: both took ten times as long, and their ratio stayed.
    assert paired_ratio([2.0, 2.2, 20.0], [1.0, 1.0, 10.0]) == Spread(2.0, 2.0, 2.2)


def test_a_table_survives_its_json() -> None:
    table = Table(
        "T", [Column("a", "A"), Column("b", "B", ".1f")], [{"a": "x", "b": 1.25}, {"a": "y", "b": None}], ["n"]
    )
    text = "## T\n\n| A | B |\n|---|--:|\n| x | 1.2 |\n| y | – |\n\n- n"
    assert table.markdown() == text
    assert Table.from_json(table.as_json()) == table
