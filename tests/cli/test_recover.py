from collections.abc import Callable
from pathlib import Path
from typing import Any

from bagmill.testing import Settings, healthy, truncated, with_bad_chunk_crc, write_small_profile

Command = Callable[..., Any]


def test_a_clean_file_is_written_and_what_is_missing_is_told(command: Command, tmp_path: Path) -> None:
    recording = with_bad_chunk_crc(tmp_path / "run.mcap")

    answer = command("recover", recording, "--out", tmp_path / "out.mcap")

    assert answer.code == 0
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["/joint_states", "182", "25"] in rows
    assert "out.mcap: 524 messages in" in answer.out
    assert "missing: 25 messages on /joint_states, 0.240 s (bytes 71,888 to 141,846)" in answer.out
    assert "run.mcap: recover" in answer.err
    assert command("scan", tmp_path / "out.mcap").code == 0


def test_json_says_what_was_recovered(command: Command, tmp_path: Path) -> None:
    recording = truncated(tmp_path / "run.mcap")

    document = command("recover", recording, "-o", tmp_path / "out.mcap", "--json").document

    assert document["num_messages"] == sum(document["channels"].values()) > 0
    assert document["num_messages_lost"] is None
    assert {loss["kind"] for loss in document["losses"]} == {"truncated"}
    assert document["size_bytes"] == (tmp_path / "out.mcap").stat().st_size


def test_nothing_is_written_over_without_force(command: Command, tmp_path: Path) -> None:
    recording = healthy(tmp_path / "run.mcap", settings=Settings(num_frames=3))
    (tmp_path / "out.mcap").write_bytes(b"mine")

    refused = command("recover", recording, "--out", tmp_path / "out.mcap")
    assert refused.code == 1
    assert "is there already" in refused.err
    assert "--force" in refused.err
    assert (tmp_path / "out.mcap").read_bytes() == b"mine"
    assert command("recover", recording, "--out", tmp_path / "out.mcap", "--force").code == 0
    assert command("recover", recording, "--out", recording, "--force").code == 1


def test_ingest_salvages_by_option_as_by_profile(command: Command, tmp_path: Path) -> None:
    recording, profile = truncated(tmp_path / "run.mcap"), write_small_profile(tmp_path / "robot.yaml")
    arguments = (recording, "-o", tmp_path / "data", "--no-preview", "--json")
    assert command("ingest", *arguments, "-p", profile).code == 1

    by_option = command("ingest", *arguments, "-p", profile, "--salvage")
    assert by_option.code == 0
    (episode,) = by_option.document["episodes"]
    assert (episode["state"], episode["is_salvaged"], episode["num_messages_lost"]) == ("published", True, None)
    assert {loss["kind"] for loss in episode["losses"]} == {"truncated"}

    (tmp_path / "salvage.yaml").write_text(profile.read_text() + "salvage: true\n")
    (again,) = command("ingest", *arguments, "-p", tmp_path / "salvage.yaml").document["episodes"]
    assert (again["state"], again["version"]) == ("reused", episode["version"])

    told = command("ingest", recording, "-o", tmp_path / "data", "-p", profile, "--no-preview", "--salvage")
    assert "run.mcap was salvaged: an unknown number of messages is missing" in told.out
