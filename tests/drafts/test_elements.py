from collections.abc import Callable
from pathlib import Path
from typing import Any

from bagmill.drafts.elements import element_fields, find_lists
from bagmill.streams import scan

Record = Callable[..., Path]


def fields_of(json_recording: Record, tell: Callable[[int, int], dict[str, Any]]) -> tuple[list[str], str | None]:
    (found,) = find_lists(scan(json_recording("r.mcap", {"/a": ("A", tell, 20, 100)})).streams[0])
    fields, why = element_fields(found)
    return [one.field for one in fields], why


def test_elements_without_names_give_one_field_across_all(json_recording: Record) -> None:
    fields, why = fields_of(json_recording, lambda n, _: {"motors": [{"q": n, "pose": {"x": 1, "y": 2}}] * 3})
    assert fields == ["motors[:].q", "motors[:].pose"]
    assert why is None


def test_elements_are_called_by_the_list_of_names_beside_them(json_recording: Record) -> None:
    def models(n: int, _: int) -> dict[str, Any]:
        names = ["robot", "my box"] if n % 2 else ["my box", "robot"]
        return {"name": names, "pose": [{"position": {"x": n, "y": 1, "z": 0}}] * 2}

    fields, _ = fields_of(json_recording, models)
    assert fields == ['pose[name="my box"].position', "pose[name=robot].position"]


def test_the_parent_frame_is_said_where_one_child_has_several(json_recording: Record) -> None:
    def transforms(n: int, _: int) -> dict[str, Any]:
        frame = "odom" if n % 2 else "map"
        moved = {"translation": {"x": n, "y": 0, "z": 0}}
        return {"transforms": [{"header": {"frame_id": frame}, "child_frame_id": "base", "transform": moved}]}

    fields, _ = fields_of(json_recording, transforms)
    assert fields == [
        "transforms[header.frame_id=map, child_frame_id=base].transform.translation",
        "transforms[header.frame_id=odom, child_frame_id=base].transform.translation",
    ]


def test_a_list_whose_length_changes_gives_none_but_the_reason(json_recording: Record) -> None:
    fields, why = fields_of(json_recording, lambda n, _: {"boxes": [{"x": 1, "y": 2}] * (n % 4)})
    assert fields == []
    assert why is not None
    assert "0 to 3 elements" in why
    assert "boxes[0].x" in why


def test_an_empty_list_now_and_then_is_another_messages_business(json_recording: Record) -> None:
    fields, why = fields_of(json_recording, lambda n, _: {"boxes": [{"x": 1, "y": 2}] * (n > 2)})
    assert (fields, why) == (["boxes[:].x", "boxes[:].y"], None)
