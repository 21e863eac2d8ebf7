"""What is made again is what was there, in the order in which it was asked for."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bagmill.dataset import (
    Dataset,
    QuarantineEntry,
    load_report,
    load_snapshot,
    make_snapshot,
    put_quarantine,
    resolve_name,
)
from bagmill.disk import holding
from bagmill.episodes import verify_episode
from bagmill.errors import StorageError
from bagmill.health import Mended, repair, verify_dataset
from bagmill.ingest import IngestRequest, ingest, split_finished
from bagmill.profile import parse_profile
from bagmill.testing import Settings, healthy, small_profile


@pytest.fixture
def requests(tmp_path: Path) -> tuple[IngestRequest, IngestRequest]:
    """An episode by two profiles, asked for one after the other."""
    recording = healthy(tmp_path / "run.mcap", settings=Settings(num_frames=15))
    made = []
    for rate_hz in (15, 30):
        profile = parse_profile(small_profile() | {"rate_hz": rate_hz, "preview": {"enabled": False}})
        made.append(IngestRequest("run.mcap", recording, tmp_path / "data", profile, num_threads=1))
        assert ingest(made[-1]).refusal is None
    return made[0], made[1]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _repair(dataset: Dataset) -> list[Mended]:
    return repair(dataset, verify_dataset(dataset).findings, is_applied=True)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("damage", [_flip, Path.unlink])
def test_a_report_made_again_leaves_the_current_version_current(
    requests: tuple[IngestRequest, IngestRequest], damage: Callable[[Path], None], place: int
) -> None:
    dataset = Dataset(requests[0].dataset)
    versions = [str(ingest(each).report.version) for each in requests]
    before = [load_report(dataset, "run.mcap", version=each) for each in versions]
    damage(dataset.report_path("run.mcap", versions[place]))

    (outcome,) = _repair(dataset)

    assert (outcome.finding.kind, outcome.outcome) == ("report", "mended"), outcome.how
    after = load_report(dataset, "run.mcap", version=versions[place])
    assert after.quality == before[place].quality
    assert after.pictures == before[place].pictures
    make_snapshot(dataset)
    assert load_snapshot(dataset)["version"].tolist() == [versions[1]]
    assert split_finished(requests)[1] == [requests[0]], "the other one is asked for by the quick look as before"


def test_a_report_that_is_still_to_come_is_no_damage(requests: tuple[IngestRequest, IngestRequest]) -> None:
    dataset = Dataset(requests[0].dataset)
    version = str(ingest(requests[0]).report.version)
    dataset.report_path("run.mcap", version).unlink()
    with holding(dataset.episode_path("run.mcap", version).parent):
        assert verify_dataset(dataset).findings == ()
    (finding,) = verify_dataset(dataset).findings
    assert (finding.kind, finding.version) == ("report", version)


def test_arrays_made_again_are_whole_and_their_report_keeps_its_place(
    requests: tuple[IngestRequest, IngestRequest],
) -> None:
    dataset = Dataset(requests[0].dataset)
    version = str(ingest(requests[0]).report.version)  # asked for again: the current one
    other = str(ingest(requests[1]).report.version)
    order = load_report(dataset, "run.mcap", version=version).order
    shard = max((dataset.episode_path("run.mcap", version) / "images").rglob("*"), key=lambda path: path.stat().st_size)
    _flip(shard)
    (outcome,) = _repair(dataset)
    assert (outcome.finding.kind, outcome.outcome) == ("episode", "mended"), outcome.how
    assert verify_episode(dataset.episode_path("run.mcap", version)).is_whole
    assert load_report(dataset, "run.mcap", version=version).order == order
    make_snapshot(dataset)
    assert load_snapshot(dataset)["version"].tolist() == [other]


def test_what_stands_nowhere_else_is_left_and_told(requests: tuple[IngestRequest, IngestRequest]) -> None:
    dataset = Dataset(requests[0].dataset)
    first = make_snapshot(dataset, name="paper")
    ingest(requests[0])
    second = make_snapshot(dataset)
    put_quarantine(dataset, QuarantineEntry("x.mcap", "/r/x.mcap", "recording", "It is cut off.", since_ns=1))
    kept = {}
    for path in (first.path, second.path, dataset.quarantine_path("x.mcap"), dataset.snapshots_dir / "latest.json"):
        _flip(path)
        kept[path] = path.read_bytes()

    outcomes = {mended.finding.path: mended for mended in _repair(dataset)}

    assert outcomes[second.path].outcome == "mended", "its episodes are as they were"
    assert resolve_name(dataset, "latest") == second.id
    assert outcomes[first.path].outcome == "left"
    assert "stood nowhere else" in outcomes[first.path].how
    assert outcomes[dataset.quarantine_path("x.mcap")].outcome == "left"
    for path in (first.path, dataset.quarantine_path("x.mcap")):
        assert path.read_bytes() == kept[path], "a person may know better"


def test_without_its_recording_an_episode_is_left(requests: tuple[IngestRequest, IngestRequest]) -> None:
    dataset = Dataset(requests[0].dataset)
    version = str(ingest(requests[1]).report.version)
    _flip(dataset.report_path("run.mcap", version))
    requests[0].recording.rename(requests[0].recording.with_name("elsewhere.mcap"))
    (outcome,) = _repair(dataset)
    assert outcome.outcome == "left"
    assert "its recording is not there any more" in outcome.how
    assert "--recordings" in outcome.how


def test_pipes_in_the_place_of_files_are_damage_and_not_waited_for(
    requests: tuple[IngestRequest, IngestRequest],
) -> None:
    dataset = Dataset(requests[0].dataset)
    version = str(ingest(requests[1]).report.version)
    made = make_snapshot(dataset)
    paths = [
        made.path,
        dataset.snapshots_dir / "latest.json",
        dataset.report_path("run.mcap", version),
        dataset.contact_sheet_path("run.mcap", str(ingest(requests[0]).report.version)),
        dataset.fingerprint_path("run.mcap"),
        dataset.scan_path("run.mcap"),
        next(dataset.recordings_dir.iterdir()),
    ]
    for path in paths:
        path.unlink()
        os.mkfifo(path)
    found = {each.path: each.problem for each in verify_dataset(dataset).findings}
    assert set(paths) <= set(found)
    assert all("named pipe" in found[path] for path in paths), found


def test_a_folder_that_cannot_be_listed_is_no_empty_one(requests: tuple[IngestRequest, IngestRequest]) -> None:
    dataset = Dataset(requests[0].dataset)
    shutil.rmtree(dataset.recordings_dir)
    dataset.recordings_dir.write_bytes(b"no folder")
    with pytest.raises(StorageError, match="cannot be listed"):
        verify_dataset(dataset)
