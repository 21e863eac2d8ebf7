from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import yaml

from bagmill.alignment.order import StampOrder
from bagmill.drafts import ProfileDraft, draft_profile, profile_yaml
from bagmill.drafts.soundness import why_unsound
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.quality.clock_steps import find_steps
from bagmill.streams import Stream, scan
from bagmill.testing import START_NS, SampleMessage, write_mcap
from tests.drafts.messages import MS, joints, number

NUM = 100
PERIOD_NS = 20 * MS


def stream_of(folder: Path, header_ns: Iterable[int], *, log_ns: Iterable[int] | None = None) -> Stream:
    return scan(recording(folder, header_ns, log_ns=log_ns)).streams[0]


def recording(folder: Path, header_ns: Iterable[int], *, log_ns: Iterable[int] | None = None) -> Path:
    logged = regular() if log_ns is None else np.array(list(log_ns))
    return write_mcap(
        folder / "r.mcap",
        [
            SampleMessage(
                "/js",
                "sensor_msgs/msg/JointState",
                {"name": ["a"], "position": np.array([n / 10])},
                log_ns=int(log),
                header_ns=int(header),
            )
            for n, (header, log) in enumerate(zip(header_ns, logged, strict=True))
        ],
    )


def regular() -> np.ndarray:
    return START_NS + np.arange(NUM) * PERIOD_NS


def drafted(folder: Path, header_ns: Iterable[int]) -> ProfileDraft:
    return draft_profile(scan(recording(folder, header_ns)))


def test_sound_stamps_have_nothing_against_them(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, regular() - 3 * MS)
    assert why_unsound(stream, "header") is None
    assert why_unsound(stream, "log") is None


def test_a_header_stamp_that_never_changes_is_no_clock(tmp_path: Path) -> None:
    draft = drafted(tmp_path, np.full(NUM, START_NS))
    assert draft.clock.clock == "log"
    assert draft.clock.reason == "the header stamp of /js never changes"
    assert draft.rate_hz == 50


def test_header_stamps_that_come_in_fives_are_no_clock(tmp_path: Path) -> None:
    draft = drafted(tmp_path, np.repeat(regular()[::5], 5))
    assert draft.clock.clock == "log"
    assert "one header stamp for 5 messages" in draft.clock.reason


def test_a_header_clock_that_was_set_back_is_no_clock(tmp_path: Path) -> None:
    stamps = regular()
    stamps[50:] -= 500 * MS
    draft = drafted(tmp_path, stamps)
    assert draft.clock.clock == "log"
    assert draft.clock.reason == "the header clock of /js was set back by 0.5 s"


def test_messages_that_overtake_each_other_are_no_clock_set_back(tmp_path: Path) -> None:
    stamps = regular()
    stamps[[20, 21]] = stamps[[21, 20]]
    assert drafted(tmp_path, stamps).clock.clock == "header"


def test_a_header_clock_that_was_set_forward_is_no_clock(tmp_path: Path) -> None:
    stamps = regular()
    stamps[50:] += 3600 * 1000 * MS
    draft = drafted(tmp_path, stamps)
    assert draft.clock.clock == "log"
    assert "set forward by 3.6e+03 s" in draft.clock.reason


@pytest.mark.parametrize("set_ms", [150, 300, 700])
def test_a_header_clock_that_was_set_a_little_is_no_clock(set_ms: int, tmp_path: Path) -> None:
    stamps = regular()
    stamps[50:] += set_ms * MS
    draft = drafted(tmp_path, stamps)
    assert draft.clock.clock == "log"
    assert draft.clock.reason == f"the header clock of /js was set forward by {set_ms / 1000:g} s"
    assert not draft.checks
    assert all(feature.is_required for feature in draft.features)


def test_a_header_clock_that_was_set_back_by_less_than_a_period_shows_by_the_log_clock(tmp_path: Path) -> None:
    times = START_NS + np.arange(NUM) * 500 * MS
    stamps = times.copy()
    stamps[50:] -= 300 * MS
    stream = stream_of(tmp_path, stamps, log_ns=times)
    assert why_unsound(stream, "header") == "the header clock of /js was set back by 0.3 s"


def test_a_log_clock_that_was_set_forward_says_nothing_against_the_header(tmp_path: Path) -> None:
    times = regular()
    times[50:] += 700 * MS
    assert why_unsound(stream_of(tmp_path, regular(), log_ns=times), "header") is None


def test_a_pause_is_no_clock_set_forward(tmp_path: Path) -> None:
    times = regular()
    times[50:] += 700 * MS
    assert why_unsound(stream_of(tmp_path, times - 3 * MS, log_ns=times), "header") is None


def test_the_draft_and_the_check_agree_on_a_clock_that_was_set(tmp_path: Path) -> None:
    """What the draft's own clock is ingested by has no steps; by the other one it has."""
    stamps = regular()
    stamps[50:] += 150 * MS
    stream = stream_of(tmp_path, stamps)
    assert find_steps(stamps, StampOrder.of(stamps), stream.log_time_ns)
    assert not find_steps(stream.log_time_ns, StampOrder.of(stream.log_time_ns), stamps, is_everybodys=True)
    assert draft_profile(scan(tmp_path / "r.mcap")).clock.clock == "log"


@pytest.mark.parametrize("rows", [slice(25, None, 50), slice(40, 41)])
@pytest.mark.parametrize("off_ms", [-4000, -400])
def test_header_stamps_that_stray_are_no_clock(rows: slice, off_ms: int, tmp_path: Path) -> None:
    stamps = regular()
    stamps[rows] += off_ms * MS
    draft = drafted(tmp_path, stamps)
    assert draft.clock.clock == "log"
    assert f"up to {-off_ms / 1000:g} s away from those beside" in draft.clock.reason
    assert not draft.checks


@pytest.mark.parametrize(("row", "off_ms"), [(0, 1000), (NUM - 1, -1000)])
def test_the_first_and_the_last_header_stamp_stray_from_the_one_beside(row: int, off_ms: int, tmp_path: Path) -> None:
    stamps = regular()
    stamps[row] += off_ms * MS
    why = why_unsound(stream_of(tmp_path, stamps), "header")
    assert why == "1 header stamp of /js is up to 0.98 s away from those beside"


def test_a_message_that_was_recorded_late_keeps_its_stamp(tmp_path: Path) -> None:
    times = regular()
    late = np.append(np.delete(times, 20), times[60] + 5 * MS)
    order = np.argsort(late)
    stamps = np.append(np.delete(times, 20), times[20])[order]
    assert why_unsound(stream_of(tmp_path, stamps, log_ns=late[order]), "header") is None


def test_slow_messages_that_overtake_each_other_do_not_stray(tmp_path: Path) -> None:
    times = START_NS + np.arange(NUM) * 500 * MS
    stamps = times.copy()
    stamps[[20, 21]] = stamps[[21, 20]]
    assert why_unsound(stream_of(tmp_path, stamps, log_ns=times), "header") is None


def test_a_slow_simulation_is_a_clock(tmp_path: Path) -> None:
    assert drafted(tmp_path, START_NS + (regular() - START_NS) // 4).clock.clock == "header"


def test_stamps_that_hardly_move_on_are_no_clock(tmp_path: Path) -> None:
    draft = drafted(tmp_path, START_NS + np.arange(NUM) * 1000)
    assert draft.clock.clock == "log"
    assert draft.clock.reason == "the header stamps of /js cover 9.9e-05 s of the 2 s it was recorded for"


def test_log_times_that_never_change_say_nothing_against_the_header(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, regular(), log_ns=np.full(NUM, START_NS))
    assert why_unsound(stream, "header") is None


def test_where_no_clock_is_sound_it_is_said(tmp_path: Path) -> None:
    stamps = regular()
    stamps[50:] -= 500 * MS
    path = recording(tmp_path, stamps, log_ns=stamps)
    draft = draft_profile(scan(path))
    assert "no clock of this recording is sound" in draft.clock.reason
    assert draft.warnings[0].startswith(
        "No clock of this recording is sound: the log clock of /js was set back by 0.48 s. `bagmill ingest` refuses it"
    )
    profile = parse_profile(yaml.safe_load(profile_yaml(draft)))
    refusal = ingest(IngestRequest(episode="e", recording=path, dataset=tmp_path / "d", profile=profile)).refusal
    assert refusal is not None
    assert "clock_steps" in refusal.failed_checks


def test_the_comment_names_what_the_clock_was_chosen_by_and_what_goes_by_another(tmp_path: Path) -> None:
    joints_of = [joints(n, ["a"], [n / 10]) for n in range(50)]
    numbers = [number(n, n / 10, topic=topic) for n in range(50) for topic in ("/force", "/level")]
    path = write_mcap(tmp_path / "r.mcap", sorted([*joints_of, *numbers], key=lambda message: message.log_ns))
    reason = draft_profile(scan(path)).clock.reason
    assert reason == (
        "the messages of /joint_states carry the stamp of the moment they tell of; /force, /level go by log"
    )


@pytest.mark.parametrize("clock", ["header", "log", "publish"])
def test_one_stamp_far_away_is_told(clock: str, tmp_path: Path) -> None:
    stamps = regular()
    stamps[0] = 1
    stream = stream_of(tmp_path, stamps, log_ns=stamps)
    assert "another clock" in (why_unsound(stream, clock) or "")  # type: ignore[arg-type]
