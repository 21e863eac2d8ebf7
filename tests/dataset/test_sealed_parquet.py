"""Every bit of a snapshot's file is spoken for, and a look at it costs next to nothing."""

import os
import random
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagmill.dataset import Dataset, EpisodeReport, apply_prune, load_snapshot, make_snapshot, plan_prune
from bagmill.dataset.kept_snapshots import list_snapshots
from bagmill.dataset.sealed_parquet import check_sealed, has_checksum, write_sealed
from bagmill.errors import StorageError

Publish = Callable[[EpisodeReport], EpisodeReport]
MakeReport = Callable[..., EpisodeReport]


def test_any_flipped_bit_is_found() -> None:
    table = pa.table({"episode": ["a", "b"], "skew": [1.5, None], "said": ["bagmill_checksum crc32c:00000000", ""]})
    data = write_sealed(table, facts={"order": "7"})
    check_sealed(data)
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        assert file.read().replace_schema_metadata(None) == table
        assert file.metadata.metadata[b"order"] == b"7"
    mark = 8 * data.rfind(b"bagmill_checksum crc32c:")
    for bit in (*range(mark - 200, mark + 300), *random.Random(0).sample(range(8 * len(data)), 1_000)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="do not match their checksum"):
            check_sealed(bytes(damaged))


def test_a_file_without_one_is_read_as_before() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"episode": ["a"]}), sink)
    data = bytes(sink.getvalue())
    assert not has_checksum(data)
    check_sealed(data)


def test_a_number_that_the_id_says_nothing_of_is_checked(
    dataset: Dataset, publish: Publish, make_report: MakeReport
) -> None:
    publish(make_report("a", "a1", num_ticks=300))
    snapshot = make_snapshot(dataset)
    data = bytearray(snapshot.path.read_bytes())
    data[40] ^= 1
    snapshot.path.write_bytes(data)
    with pytest.raises(StorageError, match="do not match their checksum"):
        load_snapshot(dataset, snapshot.id)


def test_the_newest_are_told_by_their_order_not_by_the_clock(
    dataset: Dataset, publish: Publish, make_report: MakeReport
) -> None:
    made = []
    for number in range(1, 5):
        publish(make_report("a", f"v{number}", requested_ns=number))
        made.append(make_snapshot(dataset))
    ahead = 4_000_000_000
    os.utime(made[0].path, (ahead, ahead))  # the clock was far ahead when the first was made
    assert [each.id for each in list_snapshots(dataset)] == [each.id for each in made]
    plan = plan_prune(dataset, keep_snapshots=2)
    assert [each.id for each in plan.snapshots] == [each.id for each in made[:2]]
    apply_prune(dataset, plan)
    assert dataset.published("a") == ["v3", "v4"]
