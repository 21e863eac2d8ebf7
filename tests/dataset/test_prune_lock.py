"""Who makes a snapshot and who prunes wait for each other; snapshots do not wait for snapshots."""

import threading

from bagmill.dataset import Dataset, no_prune
from bagmill.dataset.prune_lock import alone


def is_taken(block, *, patience_s: float = 0.3) -> bool:
    """Whether another thread, which opens the folder anew as another process does, gets the lock."""
    taken = threading.Event()

    def take() -> None:
        with block:
            taken.set()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return taken.wait(patience_s)


def test_snapshots_share_and_a_prune_waits(dataset: Dataset) -> None:
    dataset.path.mkdir()
    with no_prune(dataset):
        assert is_taken(no_prune(dataset), patience_s=60)
        assert not is_taken(alone(dataset))
    with alone(dataset):
        assert not is_taken(no_prune(dataset))


def test_where_there_is_no_dataset_yet_nobody_waits(dataset: Dataset) -> None:
    with no_prune(dataset), alone(dataset):
        assert not dataset.path.exists()
