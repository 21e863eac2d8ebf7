"""A folder of this machine that has a stored dataset's own layout, and fills as its files are asked for.

Whatever is published under a dataset's name is never changed: an episode's version, a snapshot's table. So a file that is here
once is right for ever. Only names of snapshots and what was measured of them are fetched anew each time.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, TypeVar

from bagmill.addresses import public_address
from bagmill.errors import StorageError
from bagmill.remote.address import check_address, default_cache_folder, folder_name
from bagmill.stores import Answer, Bound, Outcome, Pieces, StoreClient, StoreSettings, Tail, Whole

SHARD_CACHE_BYTES: Final = 32 << 30
PARALLEL: Final = 32
"""Requests at a time: a store answers one in tens of milliseconds, and many at once as fast."""
_LEDGER: Final = "shards.sqlite"
_MOST_REMOVED: Final = 4
"""Times that other threads may remove a file while it is read here."""
_Read = TypeVar("_Read")


class Mirror:
    """What is here of a stored dataset; may be pickled, forked and shared by threads.

    Args:
        address: Of the dataset: `s3://bucket/dataset`, `gs://…`, `https://…`, `file:///…`.
        cache_folder: Where to keep what is fetched, of any number of datasets and for any number of processes; None: in the
            user's folder for caches.
        shard_cache_bytes: What the shards of all cameras in that folder may take.
        patience_s: How long a store that does not answer is asked again.

    Raises:
        TrainingError: The address is none, or the library that speaks to stores is not installed.
    """

    def __init__(
        self,
        address: str,
        *,
        cache_folder: Path | str | None = None,
        shard_cache_bytes: int = SHARD_CACHE_BYTES,
        patience_s: float = 60.0,
    ) -> None:
        whole = check_address(address)
        self.address = public_address(whole)
        """Of the dataset, as it may be told: without user, password and query."""
        folder = Path(cache_folder).absolute() if cache_folder is not None else default_cache_folder()
        self.root = folder / folder_name(whole)
        """Of the mirrored dataset."""
        self._prefix = f"{self.root}/"
        self._settings = StoreSettings(whole, patience_s, PARALLEL)
        self._bound = Bound(str(folder / _LEDGER), shard_cache_bytes, time.time_ns())
        self._opened: tuple[int, StoreClient] | None = None
        self.is_full = False
        """Whether a shard did not go into the bound any more; as far as this process knows."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    @property
    def plain_address(self) -> str:
        """The dataset's address without what may be a secret, and without a mark of what was left out."""
        return self.address.removesuffix("#…").removesuffix("?…")

    def address_of(self, path: Path | str) -> str:
        """Where a file of the mirror is in the store, as it may be told."""
        return public_address(self.address, self._key(path))

    def refresh(self, path: Path) -> bool:
        """Fetch a file that may have changed.

        Returns:
            Whether there is one; where there is not, none is here either.

        Raises:
            StorageError: The store does not give it.
        """
        if self._submit(Whole(self._key(path), str(path), is_replacing=True)).result().outcome == "here":
            return True
        path.unlink(missing_ok=True)
        return False

    def announce(self, paths: Iterable[str]) -> list[Future[Answer]]:
        """Fetch files that are not here, without waiting for them."""
        keys = {path: self._key(path) for path in paths}
        return [self._submit(Whole(key, path)) for path, key in keys.items() if not os.path.exists(path)]  # noqa: PTH110

    def bring(self, paths: Iterable[str]) -> bool:
        """Fetch files that are not here.

        Returns:
            Whether all of them are here now.

        Raises:
            StorageError: The store does not give one.
        """
        return all(future.result().outcome == "here" for future in self.announce(paths))

    def bring_shard(self, path: str) -> Outcome:
        """Fetch a shard as a whole, if there is room for it.

        Raises:
            StorageError: The store does not give it.
        """
        key = self._key(path)
        if os.path.exists(path):  # noqa: PTH110 - strings, as all paths of shards
            return "here"
        if self.is_full:
            return "no room"
        outcome = self._submit(Whole(key, path, self._bound)).result().outcome
        if outcome == "no room":
            self.is_full = True
        return outcome

    def bring_tail(self, path: str, tail_path: str, num_bytes: int) -> bool:
        """Fetch the last bytes of a file, behind its size, to a file of their own, unless that is here.

        Returns:
            Whether there is such a file.

        Raises:
            StorageError: The store does not give it.
        """
        if os.path.exists(tail_path):  # noqa: PTH110
            return True
        return self._submit(Tail(self._key(path), tail_path, num_bytes)).result().outcome == "here"

    def pieces(self, path: str, places: Iterable[tuple[int, int]]) -> tuple[bytes, ...]:
        """Pieces [start, end) of a file, which is not kept.

        Raises:
            StorageError: The store does not give them.
        """
        answer = self._submit(Pieces(self._key(path), tuple(places))).result()
        if answer.outcome != "here":
            raise StorageError(f"{self.address_of(path)} is not there any more", remedy="Make the snapshot again")
        return answer.pieces

    def read(self, paths: Iterable[str], read: Callable[[], _Read]) -> _Read:
        """Read files of the mirror; what is damaged here is fetched once more.

        Args:
            paths: All that is read.
            read: Reads it, and raises a `StorageError` where it is damaged.

        Raises:
            StorageError: It is not in the store, or is damaged there as well.
        """
        listed = list(paths)
        was_damaged = False
        for is_last in (*[False] * _MOST_REMOVED, True):
            if not self.bring(listed):
                raise StorageError(
                    f"{next(self.address_of(path) for path in listed if not Path(path).exists())} is not there",
                    remedy="Check the address; make the snapshot again if the episode's version was removed",
                )
            try:
                return read()
            except StorageError as err:
                # Gone again: another thread found its copy damaged, and that says nothing of the store's.
                is_here = all(Path(path).exists() for path in listed)
                if is_last or (is_here and was_damaged):
                    raise self.of_store(err, listed[0]) from err
                was_damaged |= is_here
                for path in listed:
                    Path(path).unlink(missing_ok=True)
        raise AssertionError("the last attempt returns or raises")

    def of_store(self, err: StorageError, path: Path | str) -> StorageError:
        """An error about a file of the mirror, told of the file in the store."""
        return StorageError(f"{self.address_of(path)}: {err.problem}", remedy=err.remedy)

    def _key(self, path: Path | str) -> str:
        """An object's key: the way from the mirror's root to its file.

        Raises:
            StorageError: The file would lie elsewhere; whatever the store names is fetched to below the root, and nowhere else.
        """
        text = str(path)
        key = text.removeprefix(self._prefix)
        if not text.startswith(self._prefix) or "\0" in key or any(part in ("", ".", "..") for part in key.split("/")):
            raise StorageError(
                f"something at {self.address} names {key[:200]!r}, which is no file of a dataset",
                remedy="Do not use it",
            )
        return key

    def _submit(self, request: Whole | Tail | Pieces) -> Future[Answer]:
        with _starting:
            if self._opened is None or self._opened[0] != os.getpid() or not self._opened[1].is_alive:
                self._opened = os.getpid(), StoreClient(self._settings)
            _, client = self._opened
        return client.submit(request)


_starting = threading.Lock()
"""Held to start a process that fetches."""


def _renew_lock() -> None:
    global _starting  # noqa: PLW0603 - after a fork another thread may hold it that is not here
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
