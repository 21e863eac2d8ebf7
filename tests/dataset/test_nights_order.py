"""What is new in a night is told by what the last one saw, whatever the clock said."""

from dataclasses import replace

from bagmill.dataset import Dataset, QuarantineEntry, load_nights_before, put_quarantine, save_night, take_night
from bagmill.dataset.nights import last_nights

_ENTRY = QuarantineEntry("run1.mcap", "/r/run1.mcap", "recording", "It is cut off.", since_ns=5)


def _take(dataset: Dataset, date: str, *, now_ns: int, refused: list[QuarantineEntry]) -> int:
    earlier = load_nights_before(dataset, date, most=9)
    night = take_night(dataset, date=date, now_ns=now_ns, snapshot_id=None, refused=refused, earlier=earlier)
    save_night(dataset, night)
    return night.num_newly_refused


def test_refusals_are_new_once_though_the_clock_was_set_back(dataset: Dataset) -> None:
    first = put_quarantine(dataset, _ENTRY)
    assert _take(dataset, "2026-03-01", now_ns=9 * 10**18, refused=[first]) == 1, "taken while the clock was ahead"
    second = put_quarantine(dataset, replace(_ENTRY, episode="run2.mcap", since_ns=7))
    assert _take(dataset, "2026-03-02", now_ns=100, refused=[first, second]) == 1
    again = put_quarantine(dataset, replace(_ENTRY, since_ns=1))
    assert _take(dataset, "2026-03-03", now_ns=200, refused=[again, second]) == 0


def test_the_last_night_is_the_one_taken_last_and_the_one_of_the_latest_date(dataset: Dataset) -> None:
    for date in ("2027-01-01", "2026-03-01", "2026-03-02"):
        _take(dataset, date, now_ns=1, refused=[])
    assert [night.date for night in last_nights(dataset)] == ["2027-01-01", "2026-03-02"]
    _take(dataset, "2026-03-01", now_ns=2, refused=[])
    assert [night.order for night in last_nights(dataset)] == [1, 3], "taken once more, a night keeps its order"
