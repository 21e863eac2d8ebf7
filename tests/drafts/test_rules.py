import pytest

from bagmill.drafts.fields import choose_plain
from bagmill.drafts.rules import rule_of_field, type_of_standard


@pytest.mark.parametrize(
    ("path", "num_values", "type_name", "rule"),
    [
        ("data", 1, "bool", "latest"),
        ("data", 1, "int32", "latest"),
        ("data", 8, "uint8", "latest"),
        ("mode", 1, "float64", "latest"),
        ("gripper.open", 1, None, "latest"),
        ("object_id", 1, "float64", "latest"),
        ("pose.orientation", 4, "float64", "slerp"),
        ("q", 4, "float32", "slerp"),
        ("q", 6, "float32", "linear"),
        ("ranges", 360, "float32", "nearest"),
        ("theta", 1, "float32", "angle"),
        ("heading_deg", 1, "float64", "nearest"),
        ("q0", 1, None, "nearest"),
        ("position", 7, "float64", "linear"),
        ("attitude_rate", 3, "float32", "linear"),
    ],
)
def test_a_rule_follows_from_name_and_type(path: str, num_values: int, type_name: str | None, rule: str) -> None:
    assert rule_of_field(path, num_values, type_name=type_name) == rule


def test_data_is_what_its_topic_says() -> None:
    assert choose_plain({"data": 1}, topic="/base/heading")[0].rule == "angle"
    assert choose_plain({"data": 1}, topic="/gripper/open")[0].rule == "latest"
    assert {choice.rule for choice in choose_plain({"x": 1, "y": 1, "z": 1}, topic="/rpy")} == {"angle"}


def test_a_standard_message_says_its_type_by_its_name() -> None:
    names = ["std_msgs/msg/Int32", "std_msgs/UInt8MultiArray", "Bool", "std_msgs/msg/String", "my_msgs/msg/Int32"]
    assert [type_of_standard(name) for name in names] == ["int32", "uint8", "bool", None, None]
