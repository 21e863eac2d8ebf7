import pytest

from bagmill.drafts.fields import choose_joint_fields, choose_plain
from bagmill.drafts.inventory import innermost

POSE = {
    "pose": 7,
    "pose.position": 3,
    "pose.position.x": 1,
    "pose.position.y": 1,
    "pose.position.z": 1,
    "pose.orientation": 4,
    "pose.orientation.x": 1,
    "pose.orientation.w": 1,
}


def test_every_number_is_named_once() -> None:
    assert innermost({**POSE, "speed": 1}) == {"pose.position": 3, "pose.orientation": 4, "speed": 1}


def test_a_field_that_only_begins_alike_is_not_inside() -> None:
    assert innermost({"pose": 2, "pose_x": 1}) == {"pose": 2, "pose_x": 1}


def test_a_pose_is_position_by_linear_and_orientation_by_slerp() -> None:
    chosen = [
        (choice.field, choice.suffix, choice.rule, choice.units)
        for choice in choose_plain(innermost(POSE), schema_name="geometry_msgs/msg/PoseStamped")
    ]
    assert chosen == [
        ("pose.position", "position", "linear", "m"),
        ("pose.orientation", "orientation", "slerp", None),
    ]


def test_bookkeeping_is_no_feature() -> None:
    fields = {**POSE, "pose.covariance": 36, "header.seq": 1, "timestamp": 1, "status.status": 1}
    assert [choice.field for choice in choose_plain(innermost(fields))] == ["pose.position", "pose.orientation"]


def test_single_numbers_count_where_there_are_no_vectors() -> None:
    chosen = choose_plain({"x": 1, "y": 1, "theta": 1, "status": 1})
    assert [(choice.field, choice.rule) for choice in chosen] == [("x", "linear"), ("y", "linear"), ("theta", "angle")]


def test_fields_that_end_alike_keep_their_whole_name() -> None:
    chosen = choose_plain({"left.position": 3, "right.position": 3})
    assert [choice.suffix for choice in chosen] == ["left_position", "right_position"]


@pytest.mark.parametrize("fields", [{}, {"header.seq": 1}, {f"value_{n}": 1 for n in range(33)}])
def test_nothing_is_chosen_where_there_is_nothing_or_everything(fields: dict[str, int]) -> None:
    assert choose_plain(innermost(fields)) == ()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"position": 3, "velocity": 3, "effort": 3}, "position"),
        ({"velocity": 3, "effort": 3}, "velocity"),
        ({"position": 2, "effort": 3}, "effort"),
    ],
)
def test_joints_are_where_they_are_else_how_fast_they_move(fields: dict[str, int], field: str) -> None:
    assert choose_joint_fields(fields, num_joints=3)[0].field == field


def test_joints_without_a_number_each_give_no_field() -> None:
    assert choose_joint_fields({"position": 2}, num_joints=3) == ()
