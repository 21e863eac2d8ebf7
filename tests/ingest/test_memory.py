"""What is finished is known by a note and a few looks at the disk; every doubt counts against it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bagmill.dataset import Dataset, QuarantineEntry, put_quarantine
from bagmill.errors import StorageError
from bagmill.ingest import IngestRequest, ingest, split_finished
from bagmill.profile import parse_profile
from bagmill.testing import Settings, healthy, small_profile, with_black_frames

SHORT = Settings(num_frames=15)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> IngestRequest:
    folder = tmp_path_factory.mktemp("made")
    recording = healthy(folder / "run.mcap", settings=SHORT)
    request = IngestRequest("run.mcap", recording, folder / "data", parse_profile(small_profile()))
    assert ingest(request).refusal is None
    return request


@pytest.fixture
def copied(tmp_path: Path, made: IngestRequest) -> IngestRequest:
    """The same with files of its own, to be damaged; copies keep size and time."""
    shutil.copytree(made.recording.parent, tmp_path, dirs_exist_ok=True)
    request = replace(made, recording=tmp_path / "run.mcap", dataset=tmp_path / "data")
    assert is_finished(request)
    return request


def is_finished(request: IngestRequest) -> bool:
    finished, others = split_finished([request])
    assert [*(each.request for each in finished), *others] == [request]
    return bool(finished)


def test_requests_are_told_apart_in_their_order(made: IngestRequest) -> None:
    others = [replace(made, episode=name) for name in ("never.mcap", "made.mcap")]
    finished, unfinished = split_finished([others[0], made, others[1], made])
    assert [each.request for each in finished] == [made, made]
    assert unfinished == others


def test_what_is_recalled_is_what_ingest_says(made: IngestRequest) -> None:
    recalled = split_finished([made])[0][0].recall()
    said = ingest(made)
    assert recalled.is_reused
    assert recalled.refusal is None
    assert recalled.report == said.report
    assert recalled.episode == "run.mcap"


def test_the_recording_is_not_read(copied: IngestRequest) -> None:
    stat = copied.recording.stat()
    copied.recording.write_bytes(bytes(stat.st_size))
    os.utime(copied.recording, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert is_finished(copied)


def _version(request: IngestRequest) -> str:
    return Dataset(request.dataset).published(request.episode)[0]


def _touch(request: IngestRequest) -> None:
    os.utime(request.recording, ns=(1, 1))


def _remove_root_metadata(request: IngestRequest) -> None:
    (Dataset(request.dataset).episode_path("run.mcap", _version(request)) / "zarr.json").unlink()


def _remove_report(request: IngestRequest) -> None:
    Dataset(request.dataset).report_path("run.mcap", _version(request)).unlink()


def _remove_film(request: IngestRequest) -> None:
    Dataset(request.dataset).preview_path("run.mcap", _version(request)).unlink()


def _damage_note(request: IngestRequest) -> None:
    note = Dataset(request.dataset).fingerprint_path("run.mcap")
    note.write_bytes(note.read_bytes()[:-9])


def _quarantine(request: IngestRequest) -> None:
    put_quarantine(Dataset(request.dataset), QuarantineEntry("run.mcap", "", "recording", "no profile.", 1))


@pytest.mark.parametrize(
    "change",
    [
        _touch,
        _remove_root_metadata,
        _remove_report,
        _remove_film,
        _damage_note,
        _quarantine,
        lambda request: request.recording.unlink(),
    ],
)
def test_every_doubt_makes_it_unfinished(copied: IngestRequest, change: Callable[[IngestRequest], None]) -> None:
    change(copied)
    assert not is_finished(copied)


def test_after_ingesting_again_it_is_finished_again(copied: IngestRequest) -> None:
    _damage_note(copied)
    _quarantine(copied)
    assert ingest(copied).refusal is None
    assert is_finished(copied)


def test_another_profile_or_force_is_another_request(made: IngestRequest) -> None:
    assert not is_finished(replace(made, profile=parse_profile(small_profile() | {"task": "another"})))
    assert not is_finished(replace(made, is_forced=True))


def test_of_two_versions_the_one_asked_for_last_is_finished(copied: IngestRequest) -> None:
    other = replace(copied, profile=parse_profile(small_profile() | {"task": "another"}))
    assert not ingest(other).is_reused
    assert (is_finished(copied), is_finished(other)) == (False, True)
    assert ingest(copied).is_reused
    assert (is_finished(copied), is_finished(other)) == (True, False)
    assert len(Dataset(copied.dataset).published("run.mcap")) == 2


def test_more_stages_than_were_made(tmp_path: Path) -> None:
    recording = healthy(tmp_path / "run.mcap", settings=SHORT)
    request = IngestRequest("run.mcap", recording, tmp_path / "data", parse_profile(small_profile()), until="timeline")
    ingest(request)
    assert is_finished(request)
    assert is_finished(replace(request, until="recording"))
    assert not is_finished(replace(request, until="episode"))


def test_a_refused_episode_is_never_finished(tmp_path: Path) -> None:
    recording = with_black_frames(tmp_path / "run.mcap")
    request = IngestRequest("run.mcap", recording, tmp_path / "data", parse_profile(small_profile()))
    assert ingest(request).refusal is not None
    assert not is_finished(request)


def test_a_damaged_report_is_said(copied: IngestRequest) -> None:
    finished = split_finished([copied])[0][0]
    Dataset(copied.dataset).report_path("run.mcap", finished.version).write_text("{}")
    with pytest.raises(StorageError, match="is no report"):
        finished.recall()
