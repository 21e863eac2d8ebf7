import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def shard_of(dataset: Path, feature: str) -> Path:
    (path,) = (dataset / "episodes" / "wave.mcap").glob(f"*.zarr/{feature}/c/0/0/0/0")
    return path


def test_a_whole_dataset_is_whole(command: Command, small_dataset: Path) -> None:
    answer = command("verify", small_dataset / "episodes" / "wave.mcap")
    assert answer.code == 0
    assert ".zarr: whole (26 arrays, " in answer.out
    answer = command("verify", small_dataset)
    assert answer.code == 0
    assert "1 episode, 1 report, 6 pictures" in answer.out
    assert answer.out.endswith("whole\n")
    document = command("verify", small_dataset / "episodes" / "wave.mcap", "--json").document
    (episode,) = document["episodes"]
    assert (episode["is_whole"], episode["num_arrays"], episode["damages"]) == (True, 26, [])


def test_every_damage_is_listed(command: Command, dataset: Path) -> None:
    shard = shard_of(dataset, "images/cam_high")
    content = bytearray(shard.read_bytes())
    content[200] ^= 0xFF
    shard.write_bytes(content)
    (dataset / "episodes" / "wave.mcap").joinpath(shard.parents[6].name, "state", "c", "0", "0").unlink()
    episode_folder = dataset / "episodes" / "wave.mcap"
    answer = command("verify", episode_folder)
    assert answer.code == 1
    assert "2 damages" in answer.out
    assert "images/cam_high at tick " in answer.out
    assert "state at tick 0: chunk 0 is missing" in answer.out
    (episode,) = command("verify", episode_folder, "--json").document["episodes"]
    assert {damage["array"] for damage in episode["damages"]} == {"images/cam_high", "state"}


def test_what_is_not_there_fails_and_the_others_are_read(command: Command, small_dataset: Path, tmp_path: Path) -> None:
    answer = command("verify", tmp_path / "missing", small_dataset)
    assert answer.code == 1
    assert "whole" in answer.out
    assert f"bagmill: {tmp_path / 'missing'}" in answer.err
    document = command("verify", tmp_path / "missing", small_dataset, "--json").document
    assert [each["is_whole"] for each in (*document["datasets"], *document["episodes"])] == [True, False]


def test_a_version_without_metadata_is_damage(command: Command, dataset: Path) -> None:
    (path,) = (dataset / "episodes" / "wave.mcap").glob("*.zarr")
    (path / "zarr.json").unlink()
    answer = command("verify", path)
    assert answer.code == 1
    assert "there is no published episode" in answer.out


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def test_what_is_damaged_in_a_dataset_is_found_and_mended(command: Command, dataset: Path) -> None:
    assert command("snapshot", "make", dataset, "--name", "paper").code == 0
    assert command("stats", dataset, "--frames", "4").code == 0
    (report,) = (dataset / "reports").rglob("*.json")
    pictures = sorted(path for path in (dataset / "previews").rglob("*") if path.is_file())
    assert len(pictures) == 6
    (statistics,) = (dataset / "snapshots").glob("*.normalisation.json")
    (index,) = (dataset / "scans").glob("*.npz")
    damaged = [shard_of(dataset, "images/cam_high"), *pictures, dataset / "snapshots/latest.json", statistics]
    for path in damaged:
        flip(path)
    flip(dataset / "snapshots/paper.json")
    (dataset / "previews/wave.mcap/.x.mp4.partial").write_bytes(b"half")

    answer = command("verify", dataset)
    assert answer.code == 1
    assert "10 damages: see `bagmill repair`; 1 leftover of interrupted runs" in answer.out
    found = command("verify", dataset, "--json").document["datasets"][0]
    kinds = [each["kind"] for each in found["findings"]]
    assert kinds == ["episode", *["picture"] * 6, *["snapshot name"] * 2, "normalisation", "leftover"]

    before = {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()}
    listed = command("repair", dataset)
    assert listed.code == 1
    assert "Nothing was changed: --apply mends 11 findings" in listed.err
    assert {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()} == before

    applied = command("repair", dataset, "--apply", "--json")
    left = [each for each in applied.document["findings"] if each["outcome"] != "mended"]
    assert [(each["kind"], Path(each["path"]).name) for each in left] == [("snapshot name", "paper.json")]
    (dataset / "snapshots/paper.json").unlink()
    assert command("verify", dataset).code == 0
    assert command("repair", dataset).out == "Nothing is damaged, and nothing is left over\n"
    assert report.exists()
    assert index.exists()


def test_a_damaged_report_and_caches_are_made_again(command: Command, dataset: Path, small_dataset: Path) -> None:
    assert command("snapshot", "make", dataset).code == 0
    (report,) = (dataset / "reports").rglob("*.json")
    for path in (report, *(dataset / "scans").iterdir(), *(dataset / "recordings").iterdir()):
        flip(path)
    document = command("verify", dataset, "--json").document["datasets"][0]
    assert [each["kind"] for each in document["findings"]] == ["report", "recording note", "cache", "cache"]
    assert command("snapshot", "make", dataset).code == 1
    answer = command("repair", dataset, "--apply")
    assert answer.code == 1
    assert "where its recording lies stands nowhere any more" in answer.out
    assert command("repair", dataset, "--apply", "--recordings", small_dataset.parent).code == 0
    assert command("verify", dataset).code == 0
    assert command("snapshot", "make", dataset).code == 0


def test_a_sample_has_its_turn(command: Command, dataset: Path) -> None:
    turns = [
        command("verify", dataset, "--sample", "50%", "--json").document["datasets"][0]["turn"]["number"]
        for _ in range(3)
    ]
    assert turns == [0, 1, 0]
    answers = [command("verify", dataset, "--sample", "1%").out for _ in range(2)]
    assert any("of 100: no episode" in out for out in answers), "of two parts in a hundred, one has none of one episode"
    for wrong in ("0", "1.5", "many"):
        assert command("verify", dataset, "--sample", wrong).code == 2
    assert command("verify", dataset / "episodes/wave.mcap", "--sample", "1%").code == 2


def test_swapped_and_missing_files_are_told_by_name(command: Command, dataset: Path) -> None:
    (path,) = (dataset / "episodes" / "wave.mcap").glob("*.zarr")
    one, other = path / "images/cam_high/c/0/0/0/0", path / "images/cam_wrist/c/0/0/0/0"
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)
    answer = command("verify", path)
    assert answer.code == 1
    for name in ("images/cam_high", "images/cam_wrist"):
        assert f"{name} at tick 0: shard 0 is whole, but not the one that was written here" in answer.out
    other.unlink()
    answer = command("verify", dataset)
    assert answer.code == 1
    assert "images/cam_wrist at tick 0: shard 0 is missing" in " ".join(answer.out.split())
    (finding,) = command("verify", dataset, "--json").document["datasets"][0]["findings"]
    assert (finding["kind"], Path(finding["path"]).name) == ("episode", path.name)


def test_an_episode_under_another_ones_name_is_told(command: Command, dataset: Path) -> None:
    (dataset / "episodes" / "wave.mcap").rename(dataset / "episodes" / "other.mcap")
    document = command("verify", dataset, "--json").document["datasets"][0]
    assert any("it calls itself episode wave.mcap" in each["problem"] for each in document["findings"])


def test_what_carries_no_checksums_says_so(command: Command, dataset: Path) -> None:
    (path,) = (dataset / "episodes" / "wave.mcap").glob("*.zarr")
    root = json.loads((path / "zarr.json").read_bytes())
    del root["attributes"]["checksums"]
    (path / "zarr.json").write_text(json.dumps(root, indent=2))
    answer = command("verify", path)
    assert answer.code == 0
    assert "from before episodes had checksums of their files" in answer.out
    assert "1 file from before files had a checksum" in command("verify", dataset).out
    (episode,) = command("verify", path, "--json").document["episodes"]
    assert episode["has_checksums"] is False
