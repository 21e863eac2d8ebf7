"""The same recording twice: which episode counts, whatever was renamed, moved, copied or changed."""

import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bagmill.dataset import (
    Dataset,
    QuarantineEntry,
    list_quarantine,
    load_report,
    load_snapshot,
    make_snapshot,
    put_quarantine,
    read_known,
)
from bagmill.ingest import IngestOutcome, IngestRequest, ingest, place_of, split_finished
from bagmill.profile import parse_profile
from bagmill.testing import Settings, healthy, small_profile, with_black_frames

SHORT = Settings(num_frames=12)
QUICK = small_profile() | {"preview": {"enabled": False}, "checks": {"rates": {"severity": "off"}}}
OTHER_ROBOT = QUICK | {"robot": "the left one"}


def request(folder: Path, name: str, *, profile: Mapping[str, Any] = QUICK, place: str | None = None) -> IngestRequest:
    return IngestRequest(
        episode=name,
        recording=folder / (place or name),
        dataset=folder / "data",
        profile=parse_profile(dict(profile)),
        num_threads=1,
    )


def run(folder: Path, name: str, **kwargs: Any) -> IngestOutcome:
    return ingest(request(folder, name, **kwargs))


def in_snapshot(folder: Path) -> list[str]:
    made = make_snapshot(Dataset(folder / "data"))
    return list(load_snapshot(Dataset(folder / "data"), made.id)["episode"])


@pytest.fixture
def first(tmp_path: Path) -> IngestOutcome:
    healthy(tmp_path / "a.mcap", settings=SHORT)
    outcome = run(tmp_path, "a.mcap")
    assert outcome.refusal is None
    return outcome


def test_a_copy_is_the_episode_that_was_first(tmp_path: Path, first: IngestOutcome) -> None:
    shutil.copy(tmp_path / "a.mcap", tmp_path / "b.mcap")
    copy = run(tmp_path, "b.mcap")
    assert copy.duplicate_of == "a.mcap"
    assert copy.refusal is None
    (stage,) = copy.report.stages
    assert (stage.stage, stage.metadata["duplicate_of"], stage.checks) == ("recording", "a.mcap", ())
    dataset = Dataset(tmp_path / "data")
    assert dataset.published("b.mcap") == []
    assert list_quarantine(dataset) == []
    assert in_snapshot(tmp_path) == ["a.mcap"]
    assert load_report(dataset, "b.mcap", version=str(copy.report.version)).duplicate_of == "a.mcap"


def test_a_copy_is_scanned_once(tmp_path: Path, first: IngestOutcome) -> None:
    shutil.copy(tmp_path / "a.mcap", tmp_path / "b.mcap")
    run(tmp_path, "b.mcap")
    stat = (tmp_path / "b.mcap").stat()
    # Unreadable behind an unchanged size and time: whoever opened it would be refused.
    (tmp_path / "b.mcap").write_bytes(bytes(stat.st_size))
    os.utime(tmp_path / "b.mcap", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    finished, others = split_finished([request(tmp_path, "b.mcap")])
    assert others == []
    assert finished[0].recall().duplicate_of == "a.mcap"
    again = run(tmp_path, "b.mcap")
    assert (again.is_reused, again.duplicate_of) == (True, "a.mcap")


def test_a_renamed_recording_stays_the_episode_that_it_was(tmp_path: Path, first: IngestOutcome) -> None:
    dataset = Dataset(tmp_path / "data")
    path = dataset.episode_path("a.mcap", str(first.report.version))
    before = path.stat().st_mtime_ns
    (tmp_path / "a.mcap").rename(tmp_path / "b.mcap")
    assert run(tmp_path, "b.mcap").duplicate_of == "a.mcap"
    assert path.stat().st_mtime_ns == before
    report = load_report(dataset, "a.mcap", version=str(first.report.version))
    assert report.recording_path == str(tmp_path / "b.mcap")
    known = place_of(dataset, "a.mcap")
    assert known is not None
    assert (known.episode, known.name, known.place) == ("a.mcap", "b.mcap", str(tmp_path / "b.mcap"))
    # From its new place it is finished, and so is what lies there.
    moved = [request(tmp_path, "a.mcap", place="b.mcap"), request(tmp_path, "b.mcap")]
    assert [each.request.episode for each in split_finished(moved)[0]] == ["a.mcap", "b.mcap"]
    assert in_snapshot(tmp_path) == ["a.mcap"]


def test_a_recording_that_comes_back_to_its_place_is_made_of_nothing_new(tmp_path: Path, first: IngestOutcome) -> None:
    (tmp_path / "a.mcap").rename(tmp_path / "b.mcap")
    run(tmp_path, "b.mcap")
    (tmp_path / "b.mcap").rename(tmp_path / "a.mcap")
    back = run(tmp_path, "a.mcap")
    assert (back.is_reused, back.duplicate_of) == (True, None)
    assert Dataset(tmp_path / "data").published("a.mcap") == [first.report.version]


def test_a_recording_with_another_date_is_not_made_again(tmp_path: Path, first: IngestOutcome) -> None:
    os.utime(tmp_path / "a.mcap", (1, 1))
    assert run(tmp_path, "a.mcap").is_reused
    assert [each.request.episode for each in split_finished([request(tmp_path, "a.mcap")])[0]] == ["a.mcap"]


def test_moved_to_where_another_profile_holds_it_is_made_by_that(tmp_path: Path, first: IngestOutcome) -> None:
    (tmp_path / "a.mcap").rename(tmp_path / "b.mcap")
    moved = run(tmp_path, "b.mcap", profile=OTHER_ROBOT)
    assert (moved.refusal, moved.duplicate_of) == (None, None)
    assert in_snapshot(tmp_path) == ["b.mcap"]
    assert make_snapshot(Dataset(tmp_path / "data")).num_duplicates == 1
    # What was published stays for the snapshots that name it.
    assert Dataset(tmp_path / "data").published("a.mcap") == [first.report.version]


def test_a_copy_under_another_profile_is_a_copy(tmp_path: Path, first: IngestOutcome) -> None:
    shutil.copy(tmp_path / "a.mcap", tmp_path / "b.mcap")
    assert run(tmp_path, "b.mcap", profile=OTHER_ROBOT).duplicate_of == "a.mcap"
    (tmp_path / "a.mcap").unlink()
    assert split_finished([request(tmp_path, "b.mcap", profile=OTHER_ROBOT)])[0] == []
    assert run(tmp_path, "b.mcap", profile=OTHER_ROBOT).duplicate_of is None
    assert in_snapshot(tmp_path) == ["b.mcap"]


def test_once_the_first_is_another_recording_the_second_counts(tmp_path: Path, first: IngestOutcome) -> None:
    shutil.copy(tmp_path / "a.mcap", tmp_path / "b.mcap")
    assert run(tmp_path, "b.mcap").duplicate_of == "a.mcap"
    healthy(tmp_path / "a.mcap", settings=replace(SHORT, num_frames=9))
    assert run(tmp_path, "a.mcap").refusal is None
    assert split_finished([request(tmp_path, "b.mcap")])[0] == []
    second = run(tmp_path, "b.mcap")
    assert (second.refusal, second.duplicate_of) == (None, None)
    rows = load_snapshot(Dataset(tmp_path / "data"), make_snapshot(Dataset(tmp_path / "data")).id)
    assert dict(zip(rows["episode"], rows["num_ticks"], strict=True)) == {"a.mcap": 9, "b.mcap": 12}


def test_a_refused_recording_does_not_stand_for_its_copy(tmp_path: Path) -> None:
    with_black_frames(tmp_path / "a.mcap")
    assert run(tmp_path, "a.mcap").refusal is not None
    shutil.copy(tmp_path / "a.mcap", tmp_path / "b.mcap")
    copy = run(tmp_path, "b.mcap", profile=QUICK | {"checks": {"frames_black": {"severity": "warn"}}})
    assert copy.duplicate_of is None
    assert copy.report.stage("episode") is not None


def test_a_reason_that_passes_leaves_the_first_one_standing(tmp_path: Path, first: IngestOutcome) -> None:
    entry = QuarantineEntry("a.mcap", "", "recording", "it is not there.", since_ns=1, is_passing=True)
    put_quarantine(Dataset(tmp_path / "data"), entry)
    shutil.copy(tmp_path / "a.mcap", tmp_path / "b.mcap")
    assert run(tmp_path, "b.mcap").duplicate_of == "a.mcap"


def test_a_damaged_note_is_written_anew(tmp_path: Path, first: IngestOutcome) -> None:
    dataset = Dataset(tmp_path / "data")
    content_hash = str(first.report.recording_hash)
    dataset.known_recording_path(content_hash).write_bytes(b"")
    os.utime(tmp_path / "a.mcap", (1, 1))  # so that it is scanned
    run(tmp_path, "a.mcap")
    known = read_known(dataset, content_hash)
    assert known is not None
    assert known.episode == "a.mcap"


def test_of_copies_made_at_once_one_counts(tmp_path: Path) -> None:
    names = [f"{name}.mcap" for name in "abcd"]
    healthy(tmp_path / names[0], settings=SHORT)
    for name in names[1:]:
        shutil.copy(tmp_path / names[0], tmp_path / name)
    with ThreadPoolExecutor(len(names)) as pool:
        outcomes = list(pool.map(lambda name: run(tmp_path, name), names))
    originals = [outcome.episode for outcome in outcomes if outcome.duplicate_of is None]
    assert len(originals) == 1
    assert {outcome.duplicate_of for outcome in outcomes} == {None, *originals}
    assert in_snapshot(tmp_path) == originals
