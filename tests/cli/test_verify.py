from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def shard_of(dataset: Path, feature: str) -> Path:
    (path,) = (dataset / "episodes" / "wave.mcap").glob(f"*.zarr/{feature}/c/0/0/0/0")
    return path


def test_a_whole_dataset_is_whole(command: Command, small_dataset: Path) -> None:
    answer = command("verify", small_dataset)
    assert answer.code == 0
    assert ".zarr: whole (26 arrays, " in answer.out
    document = command("verify", small_dataset / "episodes" / "wave.mcap", "--json").document
    (episode,) = document["episodes"]
    assert (episode["is_whole"], episode["num_arrays"], episode["damages"]) == (True, 26, [])


def test_every_damage_is_listed(command: Command, dataset: Path) -> None:
    shard = shard_of(dataset, "images/cam_high")
    content = bytearray(shard.read_bytes())
    content[200] ^= 0xFF
    shard.write_bytes(content)
    (dataset / "episodes" / "wave.mcap").joinpath(shard.parents[6].name, "state", "c", "0", "0").unlink()
    answer = command("verify", dataset)
    assert answer.code == 1
    assert "2 damages" in answer.out
    assert "images/cam_high at tick " in answer.out
    assert "state at tick 0: chunk 0 is missing" in answer.out
    (episode,) = command("verify", dataset, "--json").document["episodes"]
    assert {damage["array"] for damage in episode["damages"]} == {"images/cam_high", "state"}


def test_what_is_not_there_fails_and_the_others_are_read(command: Command, small_dataset: Path, tmp_path: Path) -> None:
    answer = command("verify", tmp_path / "missing", small_dataset)
    assert answer.code == 1
    assert "whole" in answer.out
    assert f"bagmill: {tmp_path / 'missing'}" in answer.err
    document = command("verify", tmp_path / "missing", small_dataset, "--json").document
    assert [episode["is_whole"] for episode in document["episodes"]] == [True, False]


def test_a_version_without_metadata_is_damage(command: Command, dataset: Path) -> None:
    (path,) = (dataset / "episodes" / "wave.mcap").glob("*.zarr")
    (path / "zarr.json").unlink()
    answer = command("verify", path)
    assert answer.code == 1
    assert "there is no published episode" in answer.out
