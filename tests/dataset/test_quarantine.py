import json
from dataclasses import replace

import pytest

from bagmill.dataset import (
    Dataset,
    QuarantineEntry,
    list_quarantine,
    put_quarantine,
    read_quarantine,
    release,
    release_for_retry,
)
from bagmill.errors import StorageError

ENTRY = QuarantineEntry(
    episode="run.mcap",
    recording="/recordings/run.mcap",
    stage="timeline",
    reason="check skew failed: state 40 ms; wanted at most 20 ms.",
    since_ns=1_000,
    remedy="Mend the clock",
    failed_checks=("skew", "gaps"),
)


def test_put_read_and_release(dataset: Dataset):
    assert read_quarantine(dataset, "run.mcap") is None

    assert put_quarantine(dataset, ENTRY) == ENTRY
    assert read_quarantine(dataset, "run.mcap") == ENTRY
    assert release(dataset, "run.mcap")
    assert read_quarantine(dataset, "run.mcap") is None
    assert not release(dataset, "run.mcap")


def test_refused_for_the_same_reason_it_is_there_since_the_first_time(dataset: Dataset):
    put_quarantine(dataset, ENTRY)

    assert put_quarantine(dataset, replace(ENTRY, since_ns=2_000)).since_ns == 1_000
    assert read_quarantine(dataset, "run.mcap").since_ns == 1_000
    another = replace(ENTRY, reason="another reason.", since_ns=3_000)
    assert put_quarantine(dataset, another) == another


def test_released_it_stays_until_it_was_tried(dataset: Dataset):
    assert not release_for_retry(dataset, "run.mcap", now_ns=5)
    put_quarantine(dataset, ENTRY)
    assert release_for_retry(dataset, "run.mcap", now_ns=5)
    assert read_quarantine(dataset, "run.mcap") == replace(ENTRY, released_ns=5)
    # Refused again for the same reason, by another attempt.
    again = put_quarantine(dataset, replace(ENTRY, since_ns=9_000, attempted="another"))
    assert (again.since_ns, again.released_ns) == (1_000, None)


def test_what_passes_by_itself(dataset: Dataset):
    put_quarantine(dataset, ENTRY)
    full = replace(ENTRY, episode="b.mcap", reason="the disk is full.", is_passing=True)
    put_quarantine(dataset, full)
    assert [entry for entry in list_quarantine(dataset) if entry.is_passing] == [full]


def test_all_of_them(dataset: Dataset):
    assert list_quarantine(dataset) == []
    entries = [replace(ENTRY, episode=name, remedy=None) for name in ("c", "a", "b")]
    for entry in entries:
        put_quarantine(dataset, entry)

    assert [entry.episode for entry in list_quarantine(dataset)] == ["a", "b", "c"]
    assert sorted(entries, key=lambda entry: entry.episode) == list_quarantine(dataset)


def test_the_file_is_plain_json(dataset: Dataset):
    put_quarantine(dataset, ENTRY)

    content = json.loads((dataset.path / "quarantine" / "run.mcap.json").read_text())

    assert content["schema"] == "bagmill-quarantine-1"
    assert content["failed_checks"] == ["skew", "gaps"]
    assert content["stage"] == "timeline"


@pytest.mark.parametrize("damaged", [b"", b"{}", b'{"schema": "bagmill-quarantine-1", "episode": 3}'])
def test_a_damaged_entry_is_named_and_can_be_replaced(dataset: Dataset, damaged: bytes):
    put_quarantine(dataset, ENTRY)
    path = dataset.quarantine_path("run.mcap")
    path.write_bytes(damaged)

    with pytest.raises(StorageError, match="is no quarantine entry") as caught:
        read_quarantine(dataset, "run.mcap")
    assert caught.value.path == path
    (listed,) = list_quarantine(dataset)
    assert (listed.episode, listed.stage) == ("run.mcap", "recording"), "it is refused still, though why is not known"
    assert "is no quarantine entry" in listed.reason
    assert put_quarantine(dataset, ENTRY) == ENTRY
    assert read_quarantine(dataset, "run.mcap") == ENTRY


def test_an_entry_that_cannot_be_removed(dataset: Dataset):
    dataset.quarantine_path("run.mcap").mkdir(parents=True)

    with pytest.raises(StorageError, match="cannot be removed"):
        release(dataset, "run.mcap")
