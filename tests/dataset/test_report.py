import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from bagmill.dataset import (
    Dataset,
    EpisodeReport,
    StageReport,
    load_report,
    load_summary,
    make_current,
    save_report,
)
from bagmill.errors import StorageError
from bagmill.quality.metric import CheckResult

MakeReport = Callable[..., EpisodeReport]
MakeCheck = Callable[..., CheckResult]


def test_round_trip_with_nan_and_infinity(dataset: Dataset, make_report: MakeReport, make_check: MakeCheck):
    report = make_report("run", "a1", make_check("skew", 1.5, math.nan, -math.inf, failed=("feature2",)))

    save_report(dataset, report)

    assert repr(load_report(dataset, "run", version="a1")) == repr(report)


def test_metadata_of_a_stage_may_be_tables(dataset: Dataset, make_report: MakeReport):
    table = {"channels": [{"channel": "/a", "rate_hz": 30.0, "holds": None}], "num_messages": 3, "psnr_db": math.inf}
    report = make_report().with_stage(StageReport("preview", 0.1, table, ()))

    save_report(dataset, report)

    assert load_report(dataset, report.episode, version="a1").stage("preview").metadata == table


def test_the_file_is_plain_json_for_other_readers(dataset: Dataset, make_report: MakeReport, make_check: MakeCheck):
    checks = (make_check("skew", 30.0, failed=("feature0",)), make_check("rate", math.nan))
    save_report(dataset, make_report("run", "a1", *checks))

    content = json.loads(dataset.report_path("run", "a1").read_text())

    assert content["schema"] == "bagmill-report-1"
    assert content["quality"] == {"skew": 30.0, "rate": None}
    assert content["failed_checks"] == ["skew"]
    assert content["is_blocked"] is True
    (measurement,) = content["stages"][1]["checks"][1]["measurements"]
    assert (measurement["subject"], measurement["value"], measurement["note"]) == ("feature0", None, "")


def test_what_it_tells(make_report: MakeReport, make_check: MakeCheck):
    warned = make_check("gaps", 40.0, failed=("feature0",), severity="warn")
    report = make_report("run", "a1", make_check("skew", 1.0, 7.0), warned)

    assert report.quality == {"skew": 7.0, "gaps": 40.0}
    assert report.failed_checks == ("gaps",)
    assert not report.is_blocked
    assert report.num_seconds == 2.0
    assert report.raw_bytes_per_s == 2_000_000
    assert report.frames_per_s == 480
    assert make_report("run", "a1", make_check("skew", 30.0, failed=("feature0",))).is_blocked


def test_a_line_that_ended_at_once(make_report: MakeReport):
    report = make_report(version=None, stages=())

    assert (report.num_seconds, report.failed_checks, report.is_blocked) == (0, (), False)
    assert math.isnan(report.raw_bytes_per_s)
    assert math.isnan(report.frames_per_s)
    assert report.stage("recording") is None


def test_a_stage_said_anew_takes_the_place_of_the_earlier(make_report: MakeReport):
    report = make_report().with_stage(StageReport("timeline", 9.0, {"n": 1}, ()))

    assert [stage.stage for stage in report.stages] == ["recording", "episode", "timeline"]
    assert report.stage("timeline").num_seconds == 9.0


def test_the_summary_is_the_report_without_its_stages(dataset: Dataset, make_report: MakeReport, make_check: MakeCheck):
    report = make_report("run", "a1", make_check("skew", 3.0), make_check("rate", math.nan))
    save_report(dataset, report)

    summary = load_summary(dataset, "run", version="a1")

    assert summary.quality["skew"] == 3.0
    assert math.isnan(summary.quality["rate"])
    for name in ("episode", "version", "features", "rate_hz", "stored_bytes", "is_blocked", "failed_checks"):
        assert getattr(summary, name) == getattr(report, name)


def test_without_a_version_it_has_no_place(dataset: Dataset, make_report: MakeReport):
    with pytest.raises(ValueError, match="version"):
        save_report(dataset, make_report(version=None))


def test_saving_again_replaces_and_leaves_nothing_beside(dataset: Dataset, make_report: MakeReport):
    for num_ticks in (1, 2):
        save_report(dataset, make_report("run", "a1", num_ticks=num_ticks))

    assert load_report(dataset, "run", version="a1").num_ticks == 2
    assert [path.name for path in dataset.report_path("run", "a1").parent.iterdir()] == ["a1.json"]


@pytest.mark.parametrize("load", [load_report, load_summary])
def test_a_report_that_is_not_there_or_damaged(dataset: Dataset, make_report: MakeReport, load: Callable[..., object]):
    with pytest.raises(StorageError, match="is not there.* Ingest the episode again"):
        load(dataset, "run", version="a1")
    save_report(dataset, make_report("run", "a1"))
    path = dataset.report_path("run", "a1")
    data = path.read_bytes()
    for damaged in (b"", data[:100], data.replace(b'"num_ticks": 300', b'"num_ticks": "many"'), b"\xff" * 50):
        path.write_bytes(damaged)
        with pytest.raises(StorageError, match="is no report") as caught:
            load(dataset, "run", version="a1")
        assert caught.value.path == path


def test_a_disk_that_does_not_take_it(dataset: Dataset, make_report: MakeReport):
    dataset.path.write_text("a file where the dataset should be")

    with pytest.raises(StorageError, match="cannot be written"):
        save_report(dataset, make_report())


def test_asked_for_again_a_version_becomes_the_current_one(
    dataset: Dataset, publish: Callable[[EpisodeReport], EpisodeReport], make_report: MakeReport
):
    first = publish(make_report("run", "a1", requested_ns=1))

    assert make_current(dataset, first, requested_ns=5) == first, "the only one is current already"
    assert load_report(dataset, "run", version="a1").requested_ns == 1

    publish(make_report("run", "b2", requested_ns=2))
    assert make_current(dataset, first, requested_ns=5) == replace(first, requested_ns=5, order=1)
    assert load_report(dataset, "run", version="a1").requested_ns == 5
