"""What is missing, added up."""

from bagmill.limits import limits
from bagmill.recordings.losses import Loss, Losses, LossLog, seconds_between


def test_nothing_is_noted_unless_it_is_wanted() -> None:
    log = LossLog(is_kept=False)
    log.add("truncated", "behind byte 7")
    log.count({"/a": 3})
    assert log.losses == Losses()
    assert not log.losses


def test_places_and_channels_are_added_up_once() -> None:
    log = LossLog(is_kept=True)
    for _ in range(2):
        log.add_counts("chunk_damaged", "bytes 1 to 2", {"/a": 3, "/b": 4}, seconds=0.5)
        log.add("record_damaged", "bytes 5 to 6", num_messages=2, seconds=0.25)
    assert log.losses.num_messages == 9
    assert log.losses.seconds == 0.75


def test_one_unknown_place_makes_the_whole_unknown() -> None:
    log = LossLog(is_kept=True)
    log.add("chunk_damaged", "bytes 1 to 2", channel="/a", num_messages=3, seconds=0.5)
    log.add("truncated", "behind byte 9")
    assert (log.losses.num_messages, log.losses.seconds) == (None, None)


def test_the_recordings_own_count_makes_it_known() -> None:
    log = LossLog(is_kept=True)
    log.add("chunk_damaged", "bytes 1 to 2", channel="/a", num_messages=3, seconds=0.5)
    log.add("record_damaged", "bytes 5 to 6", seconds=0.25)
    log.count({"/a": 4, "/b": 2})
    log.count({"/a": 4, "/b": 2})
    assert log.losses.num_messages == 6
    assert log.losses.seconds == 0.75
    assert Loss("count_differs_from_summary", "by the recording's own count", "/b", 2) in log.losses.entries


def test_endless_losses_are_counted_not_kept() -> None:
    log = LossLog(is_kept=True)
    for n in range(limits().faults + 50):
        log.add("record_damaged", f"byte {n}", num_messages=1)
    assert len(log.losses.entries) == limits().faults + 1
    assert log.losses.entries[-1].where == "50 further places"
    assert log.losses.num_messages is None


def test_times_of_damaged_stamps_are_no_times() -> None:
    assert seconds_between(0, 1_500_000_000) == 1.5
    assert seconds_between(2, 1) is None
    assert seconds_between(0, 2**62) is None
    assert seconds_between(None, 1) is None


def test_a_loss_in_words() -> None:
    assert Loss("x", "bytes 1 to 2", "/a", 3, 0.5).sentence == "3 messages on /a, 0.500 s (bytes 1 to 2)"
    assert Loss("x", "bytes 1 to 2").sentence == "an unknown number of messages (bytes 1 to 2)"
