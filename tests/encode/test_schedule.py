import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bagmill.alignment.timeline import AlignedFeature, Timeline
from bagmill.encode.damage import without_messages
from bagmill.encode.schedule import FrameSchedule, audited_ticks, used_messages


def aligned_of(before: list[int], after: list[int] | None = None) -> AlignedFeature:
    rows = np.array(before, dtype=np.int64)
    right = rows if after is None else np.array(after, dtype=np.int64)
    return AlignedFeature(
        before=rows,
        after=right,
        weight=np.where(rows == right, 0.0, 0.25),
        source_ns=np.arange(len(rows)) * 10 + 3,
        is_valid=rows >= 0,
        is_interpolated=rows != right,
    )


@given(st.lists(st.integers(-1, 9), max_size=40))
def test_a_schedule_is_the_alignment_turned_round(before: list[int]):
    schedule = FrameSchedule.of(aligned_of(before), num_messages=10)
    for sequence in range(10):
        assert schedule.ticks_of(sequence) == [t for t, row in enumerate(before) if row == sequence]
    assert not len(schedule.ticks_of(10)), "a recording that grew since its scan feeds nothing new"


def test_both_neighbours_are_used():
    aligned = aligned_of([0, 2, -1], [1, 2, -1])
    assert used_messages(aligned, num_messages=4).tolist() == [True, True, True, False]


@given(st.lists(st.integers(-1, 3), max_size=60), st.integers(1, 8))
def test_audited_ticks_are_valid_and_reach_both_ends(before: list[int], num_frames: int):
    ticks = audited_ticks(aligned_of(before), num_frames=num_frames)
    valid = [tick for tick, row in enumerate(before) if row >= 0]
    assert ticks <= set(valid)
    assert len(ticks) == min(num_frames, len(valid))
    if valid and num_frames > 1:
        assert {valid[0], valid[-1]} <= ticks


def test_damaged_messages_invalidate_every_tick_made_from_them():
    timeline = Timeline(
        time_ns=np.arange(4) * 10,
        features={"state": aligned_of([0, 1, 2, -1], [0, 2, 3, -1]), "images/a": aligned_of([0, 1, 2, 3])},
    )
    whole = without_messages(timeline, {("state", ""): [2], ("images/a", ""): []})
    state = whole.features["state"]
    assert state.is_valid.tolist() == [True, False, False, False]
    assert state.before.tolist() == [0, -1, -1, -1]
    assert state.after.tolist() == [0, -1, -1, -1]
    assert whole.skew_ns("state").tolist() == [3, 0, 0, 3]
    assert not state.is_interpolated.any()
    assert whole.features["images/a"] is timeline.features["images/a"]
