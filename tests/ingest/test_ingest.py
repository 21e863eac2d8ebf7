"""The whole line on small recordings: what comes out is recomputed from what the pictures and joints must be."""

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import zarr
from mcap.reader import NonSeekingReader
from PIL import Image

import bagmill.codecs  # noqa: F401 - registers the JPEG codec for stock zarr
from bagmill.dataset import Dataset, load_report, read_quarantine
from bagmill.episodes import Episode, verify_episode
from bagmill.errors import ProfileError
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.testing import (
    FAULTS,
    JOINT_NAMES,
    START_NS,
    Settings,
    camera_stamp_ns,
    depth_picture,
    healthy,
    joint_position,
    joint_stamp_ns,
    picture,
    small_profile,
)


def run(folder: Path, recording: Path, **changes: object) -> IngestOutcome:
    profile = changes.pop("profile", None) or small_profile()
    return ingest(
        IngestRequest(
            episode=recording.name,
            recording=recording,
            dataset=folder / "data",
            profile=parse_profile(profile),  # type: ignore[arg-type]
            **changes,  # type: ignore[arg-type]
        )
    )


def published(folder: Path, outcome: IngestOutcome) -> Path:
    assert outcome.refusal is None
    return Dataset(folder / "data").episode_path(outcome.episode, str(outcome.report.version))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, IngestOutcome]:
    folder = tmp_path_factory.mktemp("made")
    recording = healthy(folder / "run.mcap")
    return folder, recording, run(folder, recording)


def test_every_array_is_what_the_recording_shows(made: tuple[Path, Path, IngestOutcome]):
    folder, _, outcome = made
    group = zarr.open_group(published(folder, outcome), mode="r")
    ticks = np.asarray(group["time"][:])
    # Tick n stands where frame n of cam_high does, to the nanosecond that 30 Hz leaves open.
    assert np.abs(ticks - [camera_stamp_ns("cam_high", n) for n in range(len(ticks))]).max() <= 1
    assert len(ticks) == 60

    high = np.asarray(group["images/cam_high"][:])
    wrist = np.asarray(group["images/cam_wrist"][:])
    depth = np.asarray(group["depth/cam_high"][:])
    assert (high.shape, wrist.shape, depth.shape) == ((60, 48, 64, 3), (60, 48, 64, 3), (60, 48, 64))
    for n in range(60):
        assert np.array_equal(depth[n], depth_picture(n))
        error = high[n].astype(float) - picture("cam_high", n)
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 40
    assert np.asarray(group["source/images/cam_wrist"][:]).tolist() == [
        camera_stamp_ns("cam_wrist", n) for n in range(60)
    ]

    state = np.asarray(group["state"][:])
    stamps = np.array([joint_stamp_ns(n) for n in range(400)])
    positions = joint_position((stamps - START_NS) / 1e9)
    expected = np.stack([np.interp(ticks - START_NS, stamps - START_NS, positions[:, d]) for d in range(3)], axis=1)
    assert np.allclose(state, expected, atol=1e-6)
    assert group["state"].attrs["names"] == list(JOINT_NAMES)
    latest = np.searchsorted(stamps, ticks, side="right") - 1
    assert np.asarray(group["source/action"][:]).tolist() == stamps[latest].tolist()
    assert all(np.asarray(group[f"valid/{name}"][:]).all() for name in outcome.report.features and ["state", "action"])


def test_jpeg_of_the_recording_is_stored_byte_for_byte(made: tuple[Path, Path, IngestOutcome]):
    folder, recording, outcome = made
    episode = Episode.open(published(folder, outcome))
    sequences = episode.sequence("images/cam_wrist")
    with recording.open("rb") as file:
        payloads = [
            bytes(message.data)
            for _, channel, message in NonSeekingReader(file).iter_messages(log_time_order=False)
            if channel.topic == "/cam_wrist/image"
        ]
    for tick in range(episode.num_ticks):
        stored = bytes(episode.chunk_bytes("images/cam_wrist", tick) or b"")
        assert stored in payloads[sequences[tick]]
        assert np.array_equal(
            np.asarray(Image.open(io.BytesIO(stored)).convert("RGB")).shape,
            episode.frame("images/cam_wrist", tick).shape,
        )


def test_our_reader_and_stock_zarr_agree(made: tuple[Path, Path, IngestOutcome]):
    folder, _, outcome = made
    path = published(folder, outcome)
    episode, group = Episode.open(path), zarr.open_group(path, mode="r")
    for name, feature in episode.features.items():
        whole = np.asarray(group[name][:])
        ours = (
            episode.signal(name)
            if feature.kind == "signal"
            else np.stack([episode.frame(name, tick) for tick in range(episode.num_ticks)])
        )
        assert np.array_equal(whole, ours), name
    assert not verify_episode(path).damages


def test_report_quarantine_and_pictures(made: tuple[Path, Path, IngestOutcome]):
    folder, recording, outcome = made
    dataset = Dataset(folder / "data")
    version = str(outcome.report.version)
    report = load_report(dataset, "run.mcap", version=version)
    assert [stage.stage for stage in report.stages] == ["recording", "timeline", "episode", "preview"]
    assert report.failed_checks == ()
    assert len(report.checks) >= 18
    assert report.num_ticks == 60
    assert report.raw_bytes == recording.stat().st_size
    assert report.num_frames == 180
    assert read_quarantine(dataset, "run.mcap") is None
    assert dataset.preview_path("run.mcap", version).stat().st_size > 1000
    for place in (
        dataset.contact_sheet_path,
        dataset.small_sheet_path,
        dataset.depth_picture_path,
        dataset.rates_plot_path,
        dataset.skew_plot_path,
    ):
        with Image.open(place("run.mcap", version)) as drawn:
            assert drawn.size[0] >= 120


def test_provenance_is_in_the_episode(made: tuple[Path, Path, IngestOutcome]):
    folder, _, outcome = made
    said = Episode.open(published(folder, outcome)).attributes
    assert said["recording"]["content_hash"] == outcome.report.recording_hash
    assert said["task"] == "wave"
    assert said["features"]["images/cam_wrist"]["codec"] == {"step": "copy"}
    assert said["features"]["images/cam_high"]["codec"] == {"step": "444", "quality": 95, "subsampling": "444"}
    assert said["features"]["depth/cam_high"]["scale_m"] == 0.001
    clock = said["features"]["images/cam_high"]["clock_estimate"]
    assert clock["offset_ns"] == pytest.approx(9.4e6, abs=1e6)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, made: tuple[Path, Path, IngestOutcome]):
    folder, recording, outcome = made
    copy = tmp_path / "moved" / "run.mcap"
    copy.parent.mkdir()
    shutil.copy(recording, copy)
    again = run(tmp_path, copy, num_threads=5)
    assert again.report.version == outcome.report.version
    a, b = published(folder, outcome), published(tmp_path, again)
    files = sorted(path.relative_to(a) for path in a.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(b) for path in b.rglob("*") if path.is_file())
    assert all((a / file).read_bytes() == (b / file).read_bytes() for file in files)


@pytest.mark.parametrize("container", ["rosbag1", "rosbag2"])
def test_the_container_makes_no_difference(tmp_path: Path, container: str, made: tuple[Path, Path, IngestOutcome]):
    folder, _, outcome = made
    settings = Settings(container=container)  # type: ignore[arg-type]
    name = "run.bag" if container == "rosbag1" else "run"
    other = run(tmp_path, healthy(tmp_path / name, settings=settings))
    a, b = Episode.open(published(folder, outcome)), Episode.open(published(tmp_path, other))
    assert a.time_ns.tolist() == b.time_ns.tolist()
    for name, feature in a.features.items():
        if feature.kind == "signal":
            assert np.array_equal(a.signal(name), b.signal(name))
        else:
            assert all(a.chunk_bytes(name, t) == b.chunk_bytes(name, t) for t in range(a.num_ticks))


def test_a_second_run_reads_nothing(tmp_path: Path):
    recording = healthy(tmp_path / "run.mcap")
    first = run(tmp_path, recording)
    stamp = published(tmp_path, first).stat().st_mtime_ns
    # Its content is made unreadable behind an unchanged size and time: whoever opened it would be refused.
    stat = recording.stat()
    recording.write_bytes(bytes(stat.st_size))
    os.utime(recording, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    second = run(tmp_path, recording)
    assert second.is_reused
    assert second.report.version == first.report.version
    assert second.report.checks == first.report.checks
    assert published(tmp_path, second).stat().st_mtime_ns == stamp


def test_a_changed_recording_is_a_new_version_beside_the_old(tmp_path: Path):
    first = run(tmp_path, healthy(tmp_path / "run.mcap"))
    second = run(tmp_path, healthy(tmp_path / "run.mcap", settings=Settings(num_frames=40)))
    assert not second.is_reused
    assert second.report.num_ticks == 40
    assert set(Dataset(tmp_path / "data").published("run.mcap")) == {first.report.version, second.report.version}


def test_a_changed_profile_is_a_new_version(tmp_path: Path):
    recording = healthy(tmp_path / "run.mcap")
    first = run(tmp_path, recording)
    second = run(tmp_path, recording, profile=small_profile() | {"rate_hz": 15})
    assert second.report.version != first.report.version
    assert second.report.num_ticks == 30


@pytest.mark.parametrize(
    ("until", "stages"),
    [
        ("recording", ["recording"]),
        ("timeline", ["recording", "timeline"]),
        ("episode", ["recording", "timeline", "episode"]),
    ],
)
def test_stages_can_be_made_one_after_the_other(tmp_path: Path, until: str, stages: list[str]):
    recording = healthy(tmp_path / "run.mcap")
    part = run(tmp_path, recording, until=until)
    assert [stage.stage for stage in part.report.stages] == stages
    assert part.refusal is None
    assert Dataset(tmp_path / "data").published("run.mcap") == ([part.report.version] if until == "episode" else [])
    whole = run(tmp_path, recording)
    assert [stage.stage for stage in whole.report.stages] == ["recording", "timeline", "episode", "preview"]
    assert not whole.is_reused
    assert run(tmp_path, recording, until=until).is_reused


def test_force_makes_a_damaged_episode_anew(tmp_path: Path):
    recording = healthy(tmp_path / "run.mcap")
    path = published(tmp_path, run(tmp_path, recording))
    shard = next(file for file in (path / "depth").rglob("*") if file.is_file() and file.stat().st_size > 5000)
    content = bytearray(shard.read_bytes())
    content[1000] ^= 0xFF
    shard.write_bytes(content)
    assert verify_episode(path).damages
    again = run(tmp_path, recording, is_forced=True)
    assert not again.is_reused
    assert not verify_episode(published(tmp_path, again)).damages


EXPECTED_FAILURES = {
    "with_gap": ("recording", "rates"),
    "with_wrong_rate": ("recording", "rates"),
    "with_backward_stamps": ("timeline", "clock_steps"),
    "with_missing_channel": ("recording", "required_channels"),
    "with_black_frames": ("episode", "frames_black"),
    "with_blown_frames": ("episode", "frames_blown"),
    "with_frozen_frames": ("episode", "frames_frozen"),
    "with_nan_joints": ("episode", "values_finite"),
    "with_joint_out_of_limits": ("episode", "within_limits"),
    "truncated": ("recording", "container_intact"),
    "with_bad_chunk_crc": ("recording", "container_intact"),
}


@pytest.mark.parametrize("fault", EXPECTED_FAILURES)
def test_a_failed_check_stops_its_episode_and_says_why(tmp_path: Path, fault: str):
    stage, check = EXPECTED_FAILURES[fault]
    outcome = run(tmp_path, FAULTS[fault](tmp_path / "run.mcap"))
    assert outcome.refusal is not None
    assert outcome.refusal.stage == stage
    assert check in outcome.refusal.failed_checks
    assert check in outcome.refusal.reason
    assert [each.stage for each in outcome.report.stages][-1] == stage
    assert read_quarantine(Dataset(tmp_path / "data"), "run.mcap") == outcome.refusal
    again = run(tmp_path, tmp_path / "run.mcap")
    assert again.is_reused
    assert again.refusal is not None
    assert again.refusal.failed_checks == outcome.refusal.failed_checks


@pytest.mark.parametrize(
    ("fault", "check"),
    [("with_clock_offset", "clocks_agree"), ("with_gap", "gaps"), ("with_backward_stamps", "stamps_monotonic")],
)
def test_a_warning_is_told_with_its_number(tmp_path: Path, fault: str, check: str):
    outcome = run(tmp_path, FAULTS[fault](tmp_path / "run.mcap"))
    assert check in outcome.report.failed_checks
    assert outcome.refusal is None or check not in outcome.refusal.failed_checks
    result = next(each for each in outcome.report.checks if each.name == check)
    assert result.threshold is not None
    assert result.worst > result.threshold


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("empty", "holds no messages"),
        ("foreign_file", "not an MCAP file"),
        ("with_no_overlap", "no time in common"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(tmp_path: Path, fault: str, words: str):
    outcome = run(tmp_path, FAULTS[fault](tmp_path / "run.mcap"))
    assert outcome.refusal is not None
    assert words in outcome.refusal.reason, outcome.refusal.reason
    assert read_quarantine(Dataset(tmp_path / "data"), "run.mcap") == outcome.refusal
    assert Dataset(tmp_path / "data").published("run.mcap") == []


def test_a_recording_that_is_not_there(tmp_path: Path):
    outcome = run(tmp_path, tmp_path / "gone.mcap")
    assert outcome.refusal is not None
    assert "gone.mcap" in outcome.refusal.reason


def test_release_from_quarantine_after_the_fix(tmp_path: Path):
    assert run(tmp_path, FAULTS["with_gap"](tmp_path / "run.mcap")).refusal is not None
    (tmp_path / "run.mcap").unlink()
    assert run(tmp_path, healthy(tmp_path / "run.mcap")).refusal is None
    assert read_quarantine(Dataset(tmp_path / "data"), "run.mcap") is None


def test_a_lenient_profile_lets_a_warning_pass(tmp_path: Path):
    lenient = {name: {"severity": "warn"} for name in ("rates", "gaps", "tick_coverage", "episode_coverage")}
    profile = small_profile() | {"checks": lenient}
    outcome = run(tmp_path, FAULTS["with_gap"](tmp_path / "run.mcap"), profile=profile)
    assert outcome.refusal is None
    assert "gaps" in outcome.report.failed_checks
    episode = Episode.open(published(tmp_path, outcome))
    valid = episode.valid("images/cam_high")
    assert 0 < np.count_nonzero(~valid) < 30
    assert not episode.frame("images/cam_high", int(np.flatnonzero(~valid)[0])).any()


def test_bad_synchronisation_stops_an_episode_before_it_is_encoded(tmp_path: Path):
    profile = small_profile() | {"checks": {"rates": {"severity": "warn"}}}
    outcome = run(tmp_path, FAULTS["with_gap"](tmp_path / "run.mcap"), profile=profile)
    assert outcome.refusal is not None
    assert (outcome.refusal.stage, outcome.refusal.failed_checks) == ("timeline", ("tick_coverage",))
    dataset = Dataset(tmp_path / "data")
    assert dataset.published("run.mcap") == []
    assert dataset.skew_plot_path("run.mcap", str(outcome.report.version)).is_file()
    assert dataset.rates_plot_path("run.mcap", str(outcome.report.version)).is_file()


def test_a_camera_that_lags_is_told_by_its_skew(tmp_path: Path):
    profile = small_profile() | {"checks": {"skew": {"threshold": 3, "severity": "error"}}}
    outcome = run(tmp_path, healthy(tmp_path / "run.mcap"), profile=profile)
    assert outcome.refusal is not None
    skew = next(check for check in outcome.report.checks if check.name == "skew")
    assert "images/cam_wrist" in skew.failed_subjects
    assert {m.subject: m.value for m in skew.measurements}["images/cam_wrist"] == pytest.approx(4, abs=0.01)


def test_damaged_frames_are_counted_and_marked_never_replaced(tmp_path: Path):
    recording = FAULTS["with_damaged_images"](tmp_path / "run.mcap")
    profile = small_profile() | {"checks": {"episode_coverage": {"severity": "warn"}}}
    outcome = run(tmp_path, recording, profile=profile)
    assert outcome.refusal is None
    assert "frames_damaged" in outcome.report.failed_checks
    episode = Episode.open(published(tmp_path, outcome))
    damaged = {
        name: int(np.count_nonzero(~episode.valid(name)))
        for name in ("images/cam_high", "images/cam_wrist")
        if not episode.valid(name).all()
    }
    assert damaged
    for name, count in damaged.items():
        assert episode.attributes["features"][name]["num_damaged_messages"] == count
        for tick in np.flatnonzero(~episode.valid(name)).tolist():
            assert not episode.has_frame(name, tick)


def test_a_camera_that_jpeg_harms_is_stored_a_step_finer(tmp_path: Path):
    recording = FAULTS["with_low_fidelity"](tmp_path / "run.mcap")
    codecs = {}
    for subsampling, threshold in (("420", 30), ("420", 36), ("auto", 60)):
        profile = small_profile() | {"checks": {"jpeg_psnr": {"threshold": threshold}}}
        profile["features"]["images/cam_high"] |= {"subsampling": subsampling}
        outcome = run(tmp_path, recording, profile=profile)
        episode = Episode.open(published(tmp_path, outcome))
        codecs[subsampling, threshold] = episode.attributes["features"]["images/cam_high"]["codec"]["step"]
        psnr = next(check for check in outcome.report.checks if check.name == "jpeg_psnr")
        assert psnr.is_passed
        group = zarr.open_group(episode.path, mode="r")
        assert np.array_equal(np.asarray(group["images/cam_high"][7]), episode.frame("images/cam_high", 7))
        noise = np.random.default_rng(7).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        assert np.array_equal(episode.frame("images/cam_high", 7), noise) == (threshold == 60)
    assert codecs == {("420", 30): "444", ("420", 36): "444", ("auto", 60): "lossless"}


def test_an_unknown_check_in_the_profile_is_told(tmp_path: Path):
    outcome = run(tmp_path, healthy(tmp_path / "run.mcap"), profile=small_profile() | {"checks": {"beauty": {}}})
    assert outcome.refusal is not None
    assert "no check is called `beauty`" in outcome.refusal.reason


def test_optional_features_that_are_not_there_are_on_record(tmp_path: Path):
    profile = small_profile()
    profile["features"]["images/third"] = {"channel": "/nowhere", "required": False}
    outcome = run(tmp_path, healthy(tmp_path / "run.mcap"), profile=profile)
    assert Episode.open(published(tmp_path, outcome)).attributes["omitted_features"] == ["images/third"]


def test_progress_reaches_its_end(tmp_path: Path):
    seen: dict[str, list[tuple[int, int]]] = {}
    recording = healthy(tmp_path / "run.mcap")
    request = IngestRequest(
        episode="run", recording=recording, dataset=tmp_path / "data", profile=parse_profile(small_profile())
    )
    ingest(request, progress=lambda stage, done, total: seen.setdefault(stage, []).append((done, total)))
    assert {"recording", "episode"} <= set(seen)
    for stage, counts in seen.items():
        assert counts[-1][0] == counts[-1][1], stage
        assert [done for done, _ in counts] == sorted(done for done, _ in counts)


def test_a_profile_with_a_typo_never_reaches_a_recording():
    with pytest.raises(ProfileError, match="no such setting"):
        parse_profile(small_profile() | {"rate": 30})


def test_the_test_picture_survives_jpeg():
    # What the tests above lean on: at Q95 4:4:4 the synthetic picture keeps well over 40 dB.
    rgb = picture("cam_high", 3)
    back = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(rgb, quality=95, colorsubsampling="444"))
    assert 10 * np.log10(255**2 / np.mean((back.astype(float) - rgb) ** 2)) > 40
