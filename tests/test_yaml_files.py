"""YAML that says more than settings need is refused with its place, in no time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bagmill.errors import ProfileError, RecordingError, SettingsError
from bagmill.limits_file import load_limits
from bagmill.profile import load_profile
from bagmill.recordings import open_recording
from bagmill.yaml_files import parse_yaml, read_mapping

LAUGHS = b"a: &a [x, x, x, x]\n" + b"".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n".encode() for n in range(20)
)
MERGES = b"a: &a {x: 1}\n" + b"".join(
    f"k{n}: &{chr(98 + n)} {{<<: [*{chr(97 + n)}, *{chr(97 + n)}], y{n}: 1}}\n".encode() for n in range(24)
)
REFUSED = {
    "laughs": (LAUGHS, "holds more than 250,000 values"),
    "merges": (MERGES, "holds more than 250,000 values"),
    "deep list": (b"[" * 1_000_000, "more than 32 levels deep .* line 1, column 33"),
    "deep mapping": (b"{a: " * 100_000, "more than 32 levels deep"),
    "deep block": (b"- " * 100_000, "more than 32 levels deep"),
    "deep by aliases": (
        b"a0: &a0 [x]\n" + b"".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n".encode() for n in range(99)),
        "more than 32 levels deep",
    ),
    "many values": (b"a: [" + b"1," * 3_000_000 + b"1]", "holds more than 250,000 values"),
    "large": (b"#" * 17_000_000, "more than 16,777,216 bytes"),
    "itself": (b"a: &a [*a]", r"\*a refers to itself, in line 1, column 8"),
    "nothing": (b"a: *b", r"\*b refers to nothing"),
    "no number": (b'a: 1\nb: !!int ""', "'' is no int, in line 2, column 4"),
    "no float": (b"a: !!float x", "'x' is no float"),
    "no bool": (b"a: !!bool maybe", "'maybe' is no bool"),
    "no time": (b"a: !!timestamp x", "'x' is no timestamp, in line 1, column 4"),
    "no date": (b"a: 2026-13-45", "month must be in 1..12"),
    "no zone": (b"a: 2001-01-01 00:00:00 +99:99", "is no timestamp"),
    "hex": (b"a: 0x" + b"f" * 5_000_000, "a number has 5000002 characters"),
    "digits": (b"a: " + b"9" * 10_000_000, "a number has 10000000 characters"),
    "base 60": (b"a: 1:30", "1:30 would be read as a number in base 60"),
    "base 60 without end": (b"a: 1" + b":1" * 500_000, "a number has"),
    "too large": (b"a: 1.0e+99999999", "larger than any number"),
    "python": (b"a: !!python/object/apply:os.system [ls]", "the tag .* is not taken"),
    "binary": (b"a: !!binary xx", "the tag .*binary is not taken"),
    "set": (b"a: !!set {x}", "the tag .*set is not taken"),
    "omap": (b"a: !!omap [x]", "the tag .*omap is not taken"),
    "long tag": (b"!<" + b"x" * 1_000_000 + b"> a", "the tag x+ is not taken"),
    "twice": (b"a: 1\nb: 2\na: 3", "the key 'a' is there twice, in line 3, column 1"),
    "twice as number": (b"1: 1\n0x1: 2", "the key '0x1' is there twice"),
    "twice within": (b"a: [{b: 1, b: 2}]", "the key 'b' is there twice"),
    "key of a list": (b"? [1]\n: 2", "a key is a mapping or a list"),
    "merged number": (b"<<: 1", "what is merged is no mapping"),
    "NUL": (b"a: \0", "#x0000"),
    "NUL written out": (b'a: "\\0"', "a character that is none"),
    "half a character": (b'a: "\\ud800"', "invalid Unicode|a character that is none"),
    "two documents": (b"a: 1\n---\nb: 2", "single document"),
    "other YAML": (b"%YAML 9.9\n---\na: 1", "incompatible"),
    "list as number": (b"!!int [1]", "expected a scalar"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_settings_need_is_refused_in_time(name: str) -> None:
    content, problem = REFUSED[name]
    started = time.thread_time()
    with pytest.raises(ValueError, match=problem):
        parse_yaml(content)
    assert time.thread_time() - started < 5


def test_what_settings_do_need_is_read() -> None:
    text = "a: &a {x: 1, y: [1.5, -2, .inf, ~, yes]}\nb: {<<: *a, x: 2}\nc: 'it''s'\nd: !!str 5\ne: *a\n"
    whole = {"x": 1, "y": [1.5, -2, float("inf"), None, True]}
    expected = {"a": whole, "b": {**whole, "x": 2}, "c": "it's", "d": "5", "e": whole}
    assert parse_yaml(text.encode()) == expected
    assert parse_yaml(text.encode("utf-16")) == expected
    assert parse_yaml(b"\xef\xbb\xbf" + text.encode()) == expected
    assert parse_yaml(b"") is None


def test_every_reader_of_yaml_refuses_the_same(tmp_path: Path) -> None:
    file, folder = tmp_path / "settings.yaml", tmp_path / "run"
    folder.mkdir()
    for name in ("laughs", "no number", "python", "twice"):
        content, problem = REFUSED[name]
        file.write_bytes(content)
        (folder / "metadata.yaml").write_bytes(content)
        with pytest.raises(ProfileError, match=problem):
            load_profile(file)
        with pytest.raises(SettingsError, match=problem):
            load_limits(file)
        with pytest.raises(RecordingError, match=problem):
            open_recording(folder)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "loop"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "profile.yaml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path)
    with pytest.raises(ValueError, match="cannot be read"):
        read_mapping(path)
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(path)
