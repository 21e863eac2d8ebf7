"""The process that fetches: asked for several things at once, killed, ended."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bagmill.errors import StorageError
from bagmill.stores import Pieces, StoreClient, StoreSettings, Tail, Whole
from tests.processes import is_alive, living_children
from tests.store_server import StoreServer, serving

pytest.importorskip("obstore", reason="obstore is not installed: pip install -e '.[remote]'")

DATA = bytes(range(256)) * 400


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreServer]:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "a file, 100% + #1").write_bytes(DATA)
    with serving(tmp_path / "objects") as server:
        yield server


def ask(store: StoreServer) -> StoreClient:
    return StoreClient(StoreSettings(store.url, patience_s=5.0, num_parallel=4))


def processes() -> list[int]:
    return living_children(os.getpid(), program="bagmill.stores.serve")


def test_objects_their_ends_and_pieces_of_them(store: StoreServer, tmp_path: Path):
    client, key = ask(store), "a file, 100% + #1"
    whole, tail = tmp_path / "folder" / "whole", tmp_path / "tail"
    asked = [
        client.submit(Whole(key, str(whole))),
        client.submit(Tail(key, str(tail), 100)),
        client.submit(Pieces(key, ((5, 10), (100_000, 100_007), (5, 6)))),
        client.submit(Whole("none", str(tmp_path / "none"))),
    ]
    answers = [future.result(30) for future in asked]
    assert [answer.outcome for answer in answers] == ["here", "here", "here", "absent"]
    assert whole.read_bytes() == DATA
    assert tail.read_bytes() == len(DATA).to_bytes(8, "little") + DATA[-100:]
    assert answers[2].pieces == (DATA[5:10], DATA[100_000:100_007], DATA[5:6])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "objects", "tail"]


def test_a_process_that_is_killed_is_told_of_and_leaves_no_file_that_is_not_whole(store: StoreServer, tmp_path: Path):
    earlier = set(processes())
    client = ask(store)
    (started,) = set(processes()) - earlier
    store.stall_at = "a file, 100% + #1"
    path = tmp_path / "fetched"
    request = Whole("a file, 100% + #1", str(path))
    future = client.submit(request)
    # Who asks for the same waits for the same.
    assert client.submit(request) is future
    assert store.stalled.wait(30)
    os.kill(started, signal.SIGKILL)
    with pytest.raises(StorageError, match=rf"the process that fetches from {store.url} has ended. Read again"):
        future.result(30)
    with pytest.raises(StorageError, match="has ended"):
        client.submit(request).result(30)
    assert not client.is_alive
    assert not path.exists()
    store.stall_at = None
    assert ask(store).submit(request).result(30).outcome == "here"
    assert path.read_bytes() == DATA
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["fetched"]


def test_it_ends_with_whoever_asked(store: StoreServer, tmp_path: Path):
    before = set(processes())
    client = ask(store)
    assert client.submit(Whole("none", str(tmp_path / "none"))).result(30).outcome == "absent"
    (started,) = set(processes()) - before
    del client
    gc.collect()
    assert not is_alive(started)
