"""Folders of .msg and .idl files."""

import os
import pickle
from pathlib import Path

import pytest

from bagmill.definitions import parse_sections, read_definitions
from bagmill.errors import AddressError, ProfileError

FILES = {
    "my_robot/msg/Arm.msg": "Header header\nfloat64[] q\nGrip grip\n",
    "my_robot/msg/Grip.msg": "float32 width\n",
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path := folder / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_folder_of_packages(tmp_path: Path) -> None:
    given = read_definitions(written(tmp_path, FILES))
    assert given.texts == {
        "my_robot/msg/Arm": FILES["my_robot/msg/Arm.msg"],
        "my_robot/msg/Grip": FILES["my_robot/msg/Grip.msg"],
    }
    sections = parse_sections("my_robot/msg/Arm", given.completed("my_robot/msg/Arm", ""))
    assert [entry.type for entry in sections["my_robot/msg/Arm"]] == [
        "std_msgs/msg/Header",
        "float64",
        "my_robot/msg/Grip",
    ]
    assert [entry.name for entry in sections["my_robot/msg/Grip"]] == ["width"]
    assert given.completed("other/msg/Thing", "") == ""
    assert given.completed("other/msg/Thing", "my_robot/Grip grip").endswith("MSG: my_robot/msg/Grip\nfloat32 width\n")


@pytest.mark.parametrize("place", ["ws", "ws/src", "ws/src/repo/robot_msgs", "ws/src/repo/robot_msgs/msg"])
def test_a_workspace_or_any_part_of_it(place: str, tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "ws/src/repo/robot_msgs/package.xml": "<package format='3'>\n  <name>my_robot</name>\n</package>",
            "ws/src/repo/robot_msgs/msg/Arm.msg": "float64 q\n",
            "ws/src/repo/robot_msgs/srv/Move.srv": "float64 to\n---\nbool done\n",
            "ws/.git/hidden/msg/Other.msg": "int8 x\n",
            "ws/install/my_robot/share/my_robot/msg/Arm.msg": "float64 q  # as installed\n",
            "ws/install/my_robot/share/my_robot/msg/Arm.idl": "module my_robot { module msg { struct Arm { double q; }; }; };",
        },
    )
    assert list(read_definitions(tmp_path / place).texts) == ["my_robot/msg/Arm"]


def test_idl_files_are_read_where_there_is_no_msg(tmp_path: Path) -> None:
    idl = """#include "std_msgs/msg/Header.idl"
module my_robot { module msg {
  typedef double double__3[3];
  module Arm_Constants { const uint8 IDLE = 4; };
  struct Arm {
    std_msgs::msg::Header header; double__3 force; sequence<my_robot::msg::Grip, 2> grips; octet flags; string<8> id;
  };
}; };"""
    given = read_definitions(
        written(tmp_path, {"my_robot/msg/Arm.idl": idl, "my_robot/msg/Grip.msg": "float32 width\n"})
    )
    text = given.completed("my_robot/msg/Arm", "")
    assert [tuple(entry) for entry in parse_sections("my_robot/msg/Arm", text)["my_robot/msg/Arm"]] == [
        ("uint8", None, "IDLE", "4", ""),
        ("std_msgs/msg/Header", None, "header", None, ""),
        ("float64", "3", "force", None, ""),
        ("my_robot/msg/Grip", "<=2", "grips", None, ""),
        ("byte", None, "flags", None, ""),
        ("string", None, "id", None, "<=8"),
    ]
    assert "MSG: my_robot/msg/Grip" in text


def test_the_digest_is_of_the_content_wherever_it_lies(tmp_path: Path) -> None:
    one = read_definitions(written(tmp_path / "a", FILES))
    assert read_definitions(written(tmp_path / "b" / "c", FILES)).digest == one.digest
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - of our own
    changed = FILES | {"my_robot/msg/Grip.msg": "float64 width\n"}
    assert read_definitions(written(tmp_path / "d", changed)).digest != one.digest


def test_folders_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name, problem in (
        ("none", "there is no such folder of definitions"),
        ("empty", "holds no .msg and no .idl file"),
        ("file", "is a file, not a folder"),
    ):
        with pytest.raises(ProfileError, match=problem):
            read_definitions(tmp_path / name)
    with pytest.raises(AddressError):
        read_definitions(Path("s3://bucket/msgs"))
    twice = written(tmp_path / "twice", {"a/demo/msg/A.msg": "int8 x\n", "b/demo/msg/A.msg": "int16 x # wider\n"})
    with pytest.raises(
        ProfileError, match=r"demo/msg/A is in .*a/demo.* and in .*b/demo.*: `x` is int8 in one and int16"
    ):
        read_definitions(twice)


def test_a_pipe_or_a_file_without_end_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, FILES)
    os.mkfifo(folder / "my_robot" / "package.xml")
    assert "my_robot/msg/Arm" in read_definitions(folder).texts
    os.mkfifo(folder / "my_robot" / "msg" / "Pipe.msg")
    with pytest.raises(ProfileError, match="named pipe"):
        read_definitions(folder)
    (folder / "my_robot" / "msg" / "Pipe.msg").unlink()
    (folder / "my_robot" / "msg" / "Zero.msg").symlink_to("/dev/zero")
    with pytest.raises(ProfileError, match="a device"):
        read_definitions(folder)
    (folder / "my_robot" / "msg" / "Zero.msg").unlink()
    (folder / "my_robot" / "msg" / "Large.msg").write_bytes(b"#" * 5_000_000)
    with pytest.raises(ProfileError, match="has more than 4,194,304 bytes"):
        read_definitions(folder)
