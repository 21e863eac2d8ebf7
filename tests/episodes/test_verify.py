"""Verification: every kind of damage is found, and named where it is."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numcodecs import zstd

from bagmill.codecs import encode_jpeg
from bagmill.episodes import EpisodeWriter, verify_episode

SIZE = {"height": 16, "width": 24}


def test_a_whole_episode_is_whole(make_episode: Callable[..., Path]) -> None:
    calls: list[tuple[int, int]] = []
    report = verify_episode(make_episode(130, (2, 129)), progress=lambda done, total: calls.append((done, total)))

    assert report.damages == ()
    assert report.is_whole
    assert report.num_arrays == 26
    # Three cameras, every other depth frame stored once for two ticks (once more across the shards' border at most),
    # and one chunk for every array of values.
    assert report.num_chunks == 3 * 128 + 65 + 22
    assert calls == [(n, 26) for n in range(1, 27)]


@pytest.mark.parametrize("invalid", [(), tuple(range(3))])
def test_short_and_empty_ones_are_whole(make_episode: Callable[..., Path], invalid: tuple[int, ...]) -> None:
    assert verify_episode(make_episode(3, invalid)).damages == ()


@pytest.mark.parametrize("name", ["images/copied", "images/lossless", "depth/wrist"])
def test_any_flipped_byte_of_a_shard_is_named(make_episode: Callable[..., Path], name: str) -> None:
    path = make_episode(5, (2,))
    (shard,) = (file for file in (path / name).rglob("*") if file.is_file() and file.name != "zarr.json")
    whole = shard.read_bytes()
    index = np.frombuffer(whole[-(5 * 16 + 4) : -4], "<u8").reshape(5, 2)
    for place in [*range(0, len(whole), 61), *range(len(whole) - 90, len(whole), 7)]:
        shard.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])

        damages = verify_episode(path).damages

        hit = [n for n, (offset, size) in enumerate(index.tolist()) if offset <= place < offset + size]
        if hit:
            assert [(damage.array, damage.tick) for damage in damages] == [(name, tick) for tick in hit]
            assert all("does not match its checksum" in damage.problem for damage in damages)
        else:
            assert [(damage.array, damage.tick) for damage in damages] == [(name, 0)]
            assert "index does not match its checksum; 5 ticks are lost with it" in damages[0].problem


@pytest.mark.parametrize("name", ["time", "state", "valid/images/copied", "source/state", "sequence/depth/wrist"])
def test_any_flipped_byte_of_a_value_is_named(make_episode: Callable[..., Path], name: str) -> None:
    path = make_episode()
    (chunk,) = (file for file in (path / name / "c").rglob("*") if file.is_file())
    whole = chunk.read_bytes()
    for place in range(0, len(whole), 9):
        chunk.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        damages = verify_episode(path).damages
        assert [(damage.array, damage.tick) for damage in damages] == [(name, 0)]
        assert "chunk 0 cannot be read" in str(damages[0])


def test_every_damage_is_listed_not_only_the_first(make_episode: Callable[..., Path]) -> None:
    path = make_episode(5, (2,))
    (path / "images/encoded/c/0/0/0/0").unlink()
    shutil.rmtree(path / "time/c")
    (path / "state/zarr.json").write_text("{")
    (path / "images/copied/zarr.json").write_text(
        (path / "images/copied/zarr.json").read_text().replace("{", '{"x": 1,', 1)
    )
    (path / "depth/wrist/c/0/0/0").write_bytes(b"short")

    found = {(damage.array, damage.tick): damage.problem for damage in verify_episode(path).damages}

    assert set(found) == {
        ("images/encoded", 0),
        ("time", 0),
        ("state", None),
        ("images/copied", None),
        ("depth/wrist", 0),
    }
    assert found["images/encoded", 0] == "shard 0 is missing; 5 ticks are lost with it"
    assert found["time", 0] == "chunk 0 is missing"
    assert "breaks off" in found["depth/wrist", 0]
    assert "differ from the episode's" in found["images/copied", None]


def test_frames_that_are_stored_whole_but_cannot_be_decoded_are_named(tmp_path: Path) -> None:
    whole = encode_jpeg(np.random.default_rng(0).integers(0, 255, (16, 24, 3), dtype=np.uint8))
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        camera = writer.add_images("images/a", num_ticks=4, step="copy", **SIZE)
        camera.put(0, whole)
        camera.put(1, whole[:-60], also=[3])
        camera.put(2, whole[:-2])
        depth = writer.add_depth("depth/a", num_ticks=4, **SIZE)
        depth.put(0, zstd.compress(bytes(16 * 24 * 2), 3))
        # Half as many bytes as its header says.
        depth.put(3, zstd.compress(bytes(16 * 24), 3).replace(b"\x60\x80\x00", b"\x60\x00\x02", 1))
        writer.put_array("time", np.arange(4))
        for name, valid in (("images/a", [1, 1, 1, 1]), ("depth/a", [1, 1, 0, 0])):
            writer.put_array(f"valid/{name}", np.array(valid, bool))
            writer.put_array(f"source/{name}", np.arange(4))
        writer.put_array("sequence/depth/a", np.array([0, 1, 2, -1]))
        path = writer.publish({})

    found = sorted(map(str, verify_episode(path).damages))

    assert len(found) == 7
    assert found[0].startswith("depth/a at tick 1: the tick is valid, but its frame is missing")
    assert found[1].startswith("depth/a at tick 3: a damaged Zstandard frame")
    assert found[2].startswith("depth/a at tick 3: a frame is stored for a tick that is not valid")
    assert found[3].startswith("images/a at tick 1: a JPEG that breaks off before its end")
    assert found[4].startswith("images/a at tick 2: a JPEG without its end marker, which other readers refuse")
    assert found[5].startswith("images/a at tick 3: a JPEG that breaks off")
    assert found[6].startswith("sequence/depth/a at tick 2: does not agree")


def test_missing_arrays_are_named(make_episode: Callable[..., Path]) -> None:
    path = make_episode()
    root = json.loads((path / "zarr.json").read_text())
    nodes = root["consolidated_metadata"]["metadata"]
    for name in ("time", "valid/state", "source/images/copied"):
        del nodes[name]
    nodes["state"]["shape"][0] = 4
    (path / "zarr.json").write_text(json.dumps(root))

    found = [str(damage) for damage in verify_episode(path).damages]

    assert "time: the array is missing" in found
    assert "valid/state: the array is missing" in found
    assert "source/images/copied: the array is missing" in found
    assert "state: its own metadata differ from the episode's" in found


def test_what_cannot_be_opened_is_one_damage(tmp_path: Path, make_episode: Callable[..., Path]) -> None:
    (damage,) = verify_episode(tmp_path / "none.zarr").damages
    assert str(damage) == "there is no published episode"
    path = make_episode()
    (path / "zarr.json").write_text("{")
    report = verify_episode(path)
    assert not report.is_whole
    assert [str(damage) for damage in report.damages] == ["the episode's metadata are damaged"]


@pytest.mark.parametrize("place", ["valid/images/zarr.json", "sequence/zarr.json", "images/zarr.json"])
@pytest.mark.parametrize(
    "content", [None, b"", b"{}", b'{"attributes": {}, "zarr_format": 3, "node_type": "array"}', b"[]"]
)
def test_a_group_that_is_none_is_named(make_episode: Callable[..., Path], place: str, content: bytes | None) -> None:
    episode = make_episode()
    if content is None:
        (episode / place).unlink()
    else:
        (episode / place).write_bytes(content)

    assert [damage.array for damage in verify_episode(episode).damages] == [place.removesuffix("/zarr.json")]


@pytest.mark.parametrize(
    "place", ["zarr.json", "images/zarr.json", "state/zarr.json", "state/c/0/0", "valid/state/c/0", "time/c/0"]
)
def test_a_pipe_in_a_files_place_is_not_waited_for(make_episode: Callable[..., Path], place: str) -> None:
    episode = make_episode()
    (episode / place).unlink()
    os.mkfifo(episode / place)

    assert any("a named pipe" in str(damage) for damage in verify_episode(episode).damages)


def _swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    assert first != second
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("images/copied/c/0/0/0/0", "images/encoded/c/0/0/0/0", "shard"),
        ("images/copied/c/0/0/0/0", "images/copied/c/1/0/0/0", "shard"),
        ("depth/wrist/c/0/0/0", "depth/wrist/c/2/0/0", "shard"),
        ("time/c/0", "source/state/c/0", "chunk"),
        ("valid/state/c/0", "interpolated/state/c/0", "chunk"),
    ],
)
def test_whole_files_that_were_swapped_are_named(
    make_episode: Callable[..., Path], one: str, other: str, what: str
) -> None:
    path = make_episode(384, (2,))
    _swap(path / one, path / other)

    found = {str(damage) for damage in verify_episode(path).damages}

    for place in (one, other):
        name, _, chunk = place.partition("/c/")
        number = int(chunk[0])
        told = f"{name} at tick {number * 128}: {what} {number} is whole, but not the one that was written here"
        assert any(each.startswith(told) for each in found)


@pytest.mark.parametrize("place", ["images/lossless/c/0/0/0/0", "depth/wrist/c/0/0/0", "sequence/state/c/0"])
def test_a_whole_file_of_another_episode_is_named(make_episode: Callable[..., Path], place: str) -> None:
    one, other = make_episode(9, (2,), dataset="one"), make_episode(9, (3,), dataset="other")
    _swap(one / place, other / place)
    for path in (one, other):
        assert any(
            damage.array == place.partition("/c/")[0] and "not the one that was written here" in damage.problem
            for damage in verify_episode(path).damages
        )


def test_arrays_swapped_whole_with_their_metadata_are_named(make_episode: Callable[..., Path]) -> None:
    path = make_episode()
    names = ("sequence/state", "source/state")
    for source, target in ((names[0], "aside"), (names[1], names[0]), ("aside", names[1])):
        (path / source).rename(path / target)
    assert {damage.array for damage in verify_episode(path).damages} >= set(names)


def test_a_file_that_is_gone_is_damage_one_that_never_was_is_not(make_episode: Callable[..., Path]) -> None:
    path = make_episode(300, tuple(range(128, 256)))
    name = "images/copied"
    assert not (path / name / "c/1").exists()
    assert verify_episode(path).is_whole

    (path / name / "c/2/0/0/0").rename(path / name / "c/2/0/0/aside")
    (damage,) = verify_episode(path).damages
    assert str(damage) == f"{name} at tick 256: shard 2 is missing; 44 ticks are lost with it"
    (path / name / "c/2/0/0/aside").rename(path / name / "c/2/0/0/0")

    shutil.copytree(path / name / "c/2", path / name / "c/1")
    problems = [str(damage) for damage in verify_episode(path).damages]
    assert f"{name} at tick 128: shard 1 was not there when the episode was written" in problems


@pytest.mark.parametrize(
    "change", [(b'"recording": "trial"', b'"recording": "triel"'), (b'"name": "p"', b'"name": "q"')]
)
def test_root_metadata_that_were_changed_are_told(
    make_episode: Callable[..., Path], change: tuple[bytes, bytes]
) -> None:
    path = make_episode()
    root = path / "zarr.json"
    assert root.read_bytes().count(change[0]) == 1
    root.write_bytes(root.read_bytes().replace(*change))
    (damage,) = verify_episode(path).damages
    assert str(damage) == "its metadata do not match their checksum: they were damaged, or changed by hand"


def test_an_episode_from_before_files_had_checksums_is_verified_without(make_episode: Callable[..., Path]) -> None:
    path = make_episode()
    assert verify_episode(path).has_checksums
    root = json.loads((path / "zarr.json").read_text())
    del root["attributes"]["checksums"]
    (path / "zarr.json").write_text(json.dumps(root, indent=2))

    report = verify_episode(path)
    assert report.is_whole
    assert not report.has_checksums
    (path / "images/copied/c/0/0/0/0").unlink()
    assert [str(damage) for damage in verify_episode(path).damages] == [
        f"images/copied at tick {tick}: the tick is valid, but its frame is missing" for tick in (0, 1, 3, 4)
    ]


@pytest.mark.parametrize(
    "checksums", [1, {}, {"metadata": "crc32c:00000000"}, {"metadata": "x", "arrays": []}, {"arrays": {"state": 1}}]
)
def test_checksums_that_are_none_are_damage(make_episode: Callable[..., Path], checksums: object) -> None:
    path = make_episode()
    root = json.loads((path / "zarr.json").read_text())
    root["attributes"]["checksums"] = checksums
    (path / "zarr.json").write_text(json.dumps(root, indent=2))
    assert "the episode's metadata are damaged" in str(verify_episode(path).damages[0])


def test_checksums_of_other_arrays_are_damage(make_episode: Callable[..., Path]) -> None:
    path = make_episode()
    root = json.loads((path / "zarr.json").read_text())
    arrays = root["attributes"]["checksums"]["arrays"]
    arrays["more"] = arrays.pop("state")
    arrays["depth/wrist"] = ""
    (path / "zarr.json").write_text(json.dumps(root, indent=2))
    assert {"", "more", "state", "depth/wrist"} <= {damage.array for damage in verify_episode(path).damages}
