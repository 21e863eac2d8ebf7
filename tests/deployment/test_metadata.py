"""Plain values as the web UI gets them."""

import base64
from io import BytesIO
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from assets.metadata import link, picture, shown, table, with_unit


def test_kinds_of_values() -> None:
    entries = shown(
        {
            "num_ticks": 3,
            "is_reused": True,
            "duration_s": 1.5,
            "path": "/data/a",
            "container": "mcap",
            "faults": ["one", "two"],
            "start_ns": 1_790_000_000_000_000_000,
        }
    )
    assert entries["num_ticks"] == dg.MetadataValue.int(3)
    assert entries["is_reused"] == dg.MetadataValue.bool(True)
    assert entries["duration_s"] == dg.MetadataValue.float(1.5)
    assert entries["path"] == dg.MetadataValue.path("/data/a")
    assert entries["container"] == dg.MetadataValue.text("mcap")
    assert entries["faults"] == dg.MetadataValue.md("- one\n- two")
    assert entries["start_ns"].value == 1_790_000_000_000_000_000


@pytest.mark.parametrize("value", [None, "", [], (), {}, float("nan"), float("inf")])
def test_what_says_nothing_is_left_out(value: object) -> None:
    assert shown({"key": value}) == {}


def test_a_table_has_the_types_of_its_columns() -> None:
    made = table([{"a": 1, "b": 0.5, "c": "x", "d": None}, {"a": 2, "b": float("nan"), "c": ["p", "q"], "d": None}])
    assert [(column.name, column.type) for column in made.schema.columns] == [
        ("a", "int"),
        ("b", "float"),
        ("c", "string"),
        ("d", "string"),
    ]
    assert made.records[1].data == {"a": 2, "b": None, "c": "p, q", "d": None}


def test_a_picture_travels_inside_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (5, 4), (10, 20, 30)).save(path)
    text = str(picture(path, alt="a plot")["a_plot"].value)
    assert text.startswith("![a plot](data:image/png;base64,")
    data = base64.b64decode(text.split(",", 1)[1].rstrip(")"))
    assert Image.open(BytesIO(data)).getpixel((0, 0)) == (10, 20, 30)
    assert picture(tmp_path / "absent.png", alt="a plot") == {}


def test_a_picture_that_is_too_large_for_every_event_stays_out(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(bytes(8192))
    assert picture(path, alt="a plot")
    path.write_bytes(bytes(8193))
    assert picture(path, alt="a plot") == {}


def test_a_link_to_what_is_there(tmp_path: Path) -> None:
    url = "http://127.0.0.1:3001/files/a"
    assert shown({"film": link(url, path=tmp_path), "depth": None}) == {}
    (tmp_path / "film").write_bytes(b"x")
    assert shown({"film": link(url, path=tmp_path / "film")}) == {"film": dg.MetadataValue.url(url)}


@pytest.mark.parametrize(("unit", "key"), [("ms", "worst_ms"), ("%", "worst_percent"), ("rad/s", "worst_rad_per_s")])
def test_units_stand_in_keys(unit: str, key: str) -> None:
    assert with_unit("worst", unit) == key
