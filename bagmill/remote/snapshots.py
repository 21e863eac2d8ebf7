"""A stored dataset's snapshot, fetched."""

from __future__ import annotations

from contextlib import suppress

from bagmill.dataset import Dataset, resolve_id
from bagmill.dataset.snapshot_names import check_name, is_snapshot_id
from bagmill.errors import StorageError
from bagmill.remote.mirror import Mirror


def fetch_snapshot(mirror: Mirror, name_or_id: str, *, split: str | None = None) -> str:
    """Fetch a snapshot's table, and its normalisation if it was measured.

    Args:
        mirror: Where to.
        name_or_id: Which: of a name it is asked anew what it means. An id whose table is here is not asked for.
        split: Of which the normalisation is fetched, besides that of the whole snapshot.

    Returns:
        Its id.

    Raises:
        StorageError: There is no such snapshot, or the store does not give it.
    """
    dataset = Dataset(mirror.root)
    is_id = is_snapshot_id(name_or_id)
    if not is_id:
        check_name(name_or_id)
        if not mirror.refresh(dataset.snapshots_dir / f"{name_or_id}.json"):
            raise StorageError(
                f"no snapshot is called {name_or_id!r} at {mirror.address}",
                remedy="Check the address, or make the snapshot with `bagmill snapshot make` before it is copied there",
            )
    snapshot_id = resolve_id(dataset, name_or_id)
    table = dataset.snapshots_dir / f"{snapshot_id}.parquet"
    is_new = not table.exists()
    if not mirror.bring([str(table)]):
        raise StorageError(f"no snapshot has the id {snapshot_id} at {mirror.address}", remedy="Make it first")
    if is_new or not is_id:
        for each in dict.fromkeys((None, split)):
            # Without the right to list, a store may refuse what is not there; whoever needs it is told when it is read.
            with suppress(StorageError):
                mirror.refresh(dataset.normalisation_path(snapshot_id, split=each))
    return snapshot_id
