"""What is published stays published: through clocks that jump, runs that were killed, and disks that take nothing more."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bagmill.dataset import Dataset, apply_prune, load_snapshot, make_snapshot, plan_prune
from bagmill.ingest import IngestRequest, ingest, split_finished
from bagmill.profile import parse_profile
from bagmill.testing import Settings, healthy, small_profile

YEAR_NS = 365 * 24 * 3600 * 10**9


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return healthy(tmp_path_factory.mktemp("recordings") / "run.mcap", settings=Settings(num_frames=15))


@pytest.fixture
def request_of(tmp_path: Path, recording: Path):
    def made(rate_hz: int = 30, **settings: object) -> IngestRequest:
        profile = parse_profile(small_profile() | {"rate_hz": rate_hz, "preview": {"enabled": False}})
        return IngestRequest("run.mcap", recording, tmp_path / "data", profile, num_threads=1, **settings)

    return made


def _version(request: IngestRequest) -> str:
    outcome = ingest(request)
    assert outcome.refusal is None
    assert outcome.report.version is not None
    return outcome.report.version


def test_the_version_last_asked_for_is_current_though_the_clock_was_a_year_ahead(
    request_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(request_of().dataset)
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + YEAR_NS)
    ahead = _version(request_of(rate_hz=15))
    monkeypatch.setattr(time, "time_ns", now)
    later = _version(request_of(rate_hz=30))

    make_snapshot(dataset)
    assert load_snapshot(dataset)["version"].tolist() == [later]
    assert [each.version for each in plan_prune(dataset).versions] == [ahead]

    assert _version(request_of(rate_hz=15)) == ahead, "asked for again, it is current again"
    make_snapshot(dataset)
    assert load_snapshot(dataset)["version"].tolist() == [ahead]
    assert [each.version for each in plan_prune(dataset, keep_snapshots=1).versions] == [later]


def test_what_is_current_already_is_not_written_again(request_of) -> None:
    request = request_of()
    dataset = Dataset(request.dataset)
    _version(request_of(rate_hz=15))
    report = dataset.report_path("run.mcap", _version(request))
    before = report.stat()
    assert ingest(request).is_reused
    assert (report.stat().st_ino, report.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def _leave(dataset: Dataset, version: str) -> list[Path]:
    """What a killed run leaves in all places of an episode."""
    arrays = dataset.episode_path("run.mcap", version).parent
    (arrays / f".staging-{version}-1-abcd/time").mkdir(parents=True)
    left = [
        arrays / f".staging-{version}-1-abcd",
        arrays / f".staging-{version}-1-abcd.lock",
        dataset.report_path("run.mcap", version).with_name(f".{version}.json.partial"),
        dataset.preview_path("run.mcap", version).with_name(f".{version}.rates.png.0123abcd.partial"),
        dataset.scan_path("run.mcap").with_name(".run.mcap.npz.partial"),
        dataset.quarantine_path("run.mcap").with_name(".run.mcap.json.partial"),
    ]
    for path in left[1:]:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    return left


def test_a_run_that_finds_everything_sweeps_what_a_killed_one_left(request_of) -> None:
    request = request_of()
    dataset = Dataset(request.dataset)
    left = _leave(dataset, _version(request))
    assert ingest(request).is_reused
    assert [path for path in left if path.exists()] == []


def test_a_run_that_was_killed_is_not_taken_for_finished(request_of, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_of()
    _version(request)
    assert split_finished([request])[0]

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bagmill.ingest.line.make_episode", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest(replace(request, is_forced=True))
    assert split_finished([request])[1] == [request], "so that its left-overs are swept"
    assert ingest(request).is_reused
    assert split_finished([request])[0]


def test_a_prune_sweeps_all_that_dead_writers_left(request_of) -> None:
    request = request_of()
    dataset = Dataset(request.dataset)
    left = _leave(dataset, _version(request))
    stray = dataset.recordings_dir / ".gone.json.partial"
    stray.write_bytes(b"")
    plan = plan_prune(dataset)
    assert plan.num_leftovers == len(left)  # a folder and its lock are one
    apply_prune(dataset, plan)
    assert [path for path in (*left, stray) if path.exists()] == []
    assert plan_prune(dataset).num_leftovers == 0


def test_the_name_of_everything_published_is_on_the_disk(request_of, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last thing that happens to a folder with something published in it is that its names are synced."""
    request = request_of()
    dataset = Dataset(request.dataset)
    events: list[tuple[str, Path]] = []
    fsync, rename, link, mkdir = os.fsync, os.rename, os.link, os.mkdir

    def synced(number: int) -> None:
        events.append(("sync", Path(f"/proc/self/fd/{number}").readlink()))
        fsync(number)

    def named(call):
        def made(*arguments, **settings):
            call(*arguments, **settings)
            events.append(("name", Path(arguments[0] if call is mkdir else arguments[1]).parent))

        return made

    monkeypatch.setattr(os, "fsync", synced)
    for call in (rename, os.replace, link, mkdir):
        monkeypatch.setattr(os, call.__name__, named(call))
    _version(request)
    make_snapshot(dataset, name="paper")
    monkeypatch.undo()

    last = {place: event for event, place in events if place.is_relative_to(dataset.path.parent)}
    places = [path for path in (dataset.path, *dataset.path.rglob("*")) if path.is_dir()]
    episodes = dataset.episode_path("run.mcap", "any").parent
    outside = [path for path in places if episodes not in path.parents and path != dataset.scans_dir]
    assert {path.relative_to(dataset.path).as_posix(): last.get(path) for path in outside} == {
        path.relative_to(dataset.path).as_posix(): "sync" for path in outside
    }
    order = [place for event, place in events if event == "sync"]
    reports = dataset.report_path("run.mcap", "any").parent
    previews = dataset.preview_path("run.mcap", "any").parent
    assert order.index(episodes) < order.index(reports), "the arrays are there for good before their report is"
    assert order.index(previews) < order.index(reports)


def test_a_finished_episode_on_a_disk_that_takes_nothing_is_no_refusal(
    request_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of()
    first = _version(request)
    _version(request_of(rate_hz=15))
    assert _version(request) == first

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    for call in ("rename", "replace", "link", "unlink", "mkdir", "rmdir", "fsync", "ftruncate"):
        monkeypatch.setattr(os, call, refuse)
    outcome = ingest(request)
    assert outcome.refusal is None
    assert outcome.is_reused
