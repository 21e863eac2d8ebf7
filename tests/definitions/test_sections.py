"""Definitions in the .msg form, against rosbags' own parser and by hand."""

import pytest
from rosbags.typesys import Stores, get_typestore

from bagmill.definitions import UnreadableDefinitionError, needed, parse_sections
from bagmill.messages.rosbags_types import types_of_msg

SEPARATOR = "\n" + "=" * 80 + "\n"


@pytest.mark.parametrize(
    ("store", "version"), [(Stores.ROS1_NOETIC, 1), (Stores.ROS2_FOXY, 2), (Stores.ROS2_HUMBLE, 2), (Stores.LATEST, 2)]
)
def test_every_type_of_ros_is_read_as_rosbags_knows_it(store: Stores, version: int) -> None:
    known = get_typestore(store)
    num_types = 0
    for name in known.fielddefs:
        text = known.generate_msgdef(name, ros_version=version)[0]
        for each, (constants, fields) in types_of_msg(parse_sections(name, text)).items():
            expected = [field for field in known.fielddefs[each][1] if not field[0].startswith("structure_needs_")]
            assert (constants, fields) == (known.fielddefs[each][0], expected), each
            num_types += 1
    assert num_types > 300


def test_comments_spaces_and_line_ends_are_passed_over() -> None:
    text = (
        "\ufeff# a comment\r\n\r\n  float64[]   position   # metres\r\n\tint32[<=3] codes\r\nstring<=10 label\r\n"
        "float64[ 9 ] covariance\r\nuint8 MODE = 0x1F  # hex\r\nstring NAME= a # b\r\nint32 level 7\r\n@key\r\n"
    )
    (entries,) = parse_sections("demo/Thing", text).values()
    assert [tuple(entry) for entry in entries] == [
        ("float64", "", "position", None, ""),
        ("int32", "<=3", "codes", None, ""),
        ("string", None, "label", None, "<=10"),
        ("float64", "9", "covariance", None, ""),
        ("uint8", None, "MODE", "0x1F", ""),
        ("string", None, "NAME", "a # b", ""),
        ("int32", None, "level", None, ""),
    ]


def test_names_without_a_package_are_found_as_ros_finds_them() -> None:
    text = SEPARATOR.join(
        [
            "Header header\nPose pose\nPoint other\ntime at\nother_msgs/Point there",
            "MSG: geometry_msgs/Pose\nPoint position",
            "MSG: geometry_msgs/Point\nfloat64 x",
            "MSG: other_msgs/Point\nfloat64 y",
        ]
    )
    sections = parse_sections("geometry_msgs/PoseStamped", text)
    assert [entry.type for entry in sections["geometry_msgs/msg/PoseStamped"]] == [
        "std_msgs/msg/Header",
        "geometry_msgs/msg/Pose",
        "geometry_msgs/msg/Point",
        "builtin_interfaces/msg/Time",
        "other_msgs/msg/Point",
    ]
    # From another package: the only one of that name.
    sections = parse_sections("demo/Thing", "Pose pose" + SEPARATOR + "MSG: geometry_msgs/Pose\nfloat64 x")
    assert needed(sections, "demo/msg/Thing") == ("demo/msg/Thing", "geometry_msgs/msg/Pose")
    # Without any package at all.
    assert needed(parse_sections("Thing", "Part part" + SEPARATOR + "MSG: Part\nint8 x"), "unnamed/msg/Thing") == (
        "unnamed/msg/Thing",
        "unnamed/msg/Part",
    )


@pytest.mark.parametrize(
    "line",
    ["float64 x[3]", "float64", "struct { int x; }", "float64 = 3", "int8[3] X=1", "12 x", "float64 9x", "int32 x;"],
)
def test_a_line_that_is_no_field_is_named(line: str) -> None:
    with pytest.raises(UnreadableDefinitionError, match="is no field, constant or comment"):
        parse_sections("demo/Thing", f"int32 a\n{line}\n")


def test_a_section_without_a_title_is_named() -> None:
    with pytest.raises(UnreadableDefinitionError, match="section 2 does not begin with `MSG: `"):
        parse_sections("demo/Thing", "int32 a" + SEPARATOR + "int32 b\n")
