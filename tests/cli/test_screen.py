import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bagmill.cli.screen import complain, print_json, results, table


def test_json_has_no_word_for_what_is_not_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(
        {
            "nan": float("nan"),
            "inf": np.float32("inf"),
            "stamp": np.int64(1_700_000_000_000_000_001),
            "array": np.array([1.5, np.nan]),
            "rate": Fraction(30000, 1001),
            "path": Path("a/b"),
            "tuple": (True, None, "x"),
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "nan": None,
        "inf": None,
        "stamp": 1_700_000_000_000_000_001,
        "array": [1.5, None],
        "rate": "30000/1001",
        "path": "a/b",
        "tuple": [True, None, "x"],
    }


def test_what_json_cannot_say_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="no JSON for object"):
        print_json({"what": object()})


def test_a_complaint_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    complain("[bold]a topic\x1b[2J\nwith everything[/bold] " + "and more " * 100)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("bagmill: [bold]a topic\\x1b[2J\\nwith everything[/bold]")


def test_tables_are_neither_cut_nor_styled_by_their_contents(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    shown = table("channel", "n", right=("n",))
    topic = "/arm[0]/" + "long/" * 40
    shown.add_row(topic, "1")
    results().print(shown)
    assert topic in capsys.readouterr().out
