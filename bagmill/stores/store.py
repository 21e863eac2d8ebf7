"""Objects of a store: the only module that speaks to one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from errno import ENOSPC
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from bagmill.addresses import without_secrets
from bagmill.errors import StorageError
from bagmill.stores.ledger import Ledger
from bagmill.stores.whole_file import write_once
from bagmill.stores.wire import SIZE_BYTES, Answer, Bound, Pieces, Request, StoreSettings, Tail, Whole

if TYPE_CHECKING:
    from obstore import GetResult

_STREAM_BYTES: Final = 1 << 20
_MAX_GAP_BYTES: Final = 1 << 16
"""Between pieces that are wanted: reading so much more is cheaper than another request."""
_MANY: Final = 1000
"""Attempts of the library: time is what bounds them."""
_ATTEMPTS: Final = 4
_PAUSE_S: Final = 0.1


class _BrokenOffError(StorageError):
    """What may be another time."""


class Store:
    """Answers requests; may be shared by threads, but not by processes.

    Raises:
        StorageError: The address or what the environment says about the store is wrong.
    """

    def __init__(self, settings: StoreSettings) -> None:
        import obstore  # noqa: PLC0415 - in the extra `remote`, and only in the process that fetches
        from obstore import exceptions, store  # noqa: PLC0415

        self._settings, self._patience_s = settings, settings.patience_s
        self._forbidden = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
        self._unsupported = exceptions.NotSupportedError
        self._errors = (exceptions.BaseError, ValueError)
        self._ledgers: dict[str, Ledger] = {}
        self._lock = threading.Lock()
        options: dict[str, Any] = {}
        if not settings.address.startswith("file:"):
            options["retry_config"] = {
                "max_retries": _MANY,
                "retry_timeout": timedelta(seconds=settings.patience_s),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=5),
                    "base": 2,
                },
            }
            # As long as bytes come, a slow line is no error.
            options["client_options"] = {
                "timeout": "15 minutes",
                "read_timeout": "30 seconds",
                "connect_timeout": "10s",
            }
            # Options given here take the place of those in the environment, of which this one is.
            is_allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
            options["client_options"]["allow_http"] = is_allowed or settings.address.startswith("http:")
        with self._told(""):
            self._store = store.from_url(settings.address, **options)
        self._get, self._get_ranges = obstore.get, obstore.get_ranges

    def answer(self, request: Request) -> Answer:
        """Do what is asked for.

        Raises:
            StorageError: The store does not give it, or the disk does not take it.
        """
        started_s = time.monotonic()
        for number in count(1):
            try:
                with self._told(request.key):
                    return self._do(request)
            except FileNotFoundError:
                return Answer("absent")
            except _BrokenOffError as err:
                # The library asks again for an answer that does not begin, but not for the rest of one that breaks off.
                if number == _ATTEMPTS or time.monotonic() - started_s > self._patience_s:
                    raise StorageError(err.problem, remedy=err.remedy) from None
                time.sleep(_PAUSE_S * number)
        raise AssertionError("the last attempt returns or raises")

    def _do(self, request: Request) -> Answer:
        match request:
            case Whole():
                return self._fetch_whole(request)
            case Tail():
                return self._fetch_tail(request)
            case Pieces():
                starts, ends = zip(*request.places, strict=True)
                found = self._get_ranges(self._store, request.key, starts=starts, ends=ends, coalesce=_MAX_GAP_BYTES)
                return Answer("here", tuple(bytes(each) for each in found))

    def _fetch_whole(self, request: Whole) -> Answer:
        path = Path(request.path)
        is_entered = False

        def write(file: BinaryIO) -> bool:
            nonlocal is_entered
            got = self._get(self._store, request.key)
            size_bytes = got.meta["size"]
            if request.bound is not None:
                is_entered = self._ledger(request.bound).enter(request.path, size_bytes, request.bound)
                if not is_entered:
                    return False
            self._copy(got, file, size_bytes, request.key)
            return True

        try:
            is_here = write_once(path, write, is_replacing=request.is_replacing)
        except BaseException as err:
            if is_entered and request.bound is not None:
                self._ledger(request.bound).strike(request.path)
            if request.bound is not None and isinstance(err, OSError) and err.errno == ENOSPC:
                return Answer("no room")
            raise
        return Answer("here" if is_here else "no room")

    def _copy(self, got: GetResult, file: BinaryIO, size_bytes: int, key: str) -> None:
        for piece in got.stream(min_chunk_size=_STREAM_BYTES):
            file.write(piece)
        if file.tell() != size_bytes:
            raise _BrokenOffError(
                f"{self._named(key)} broke off: expected {size_bytes} bytes, found {file.tell()}",
                remedy="Read it again",
            )

    def _fetch_tail(self, request: Tail) -> Answer:
        def write(file: BinaryIO) -> bool:
            got = self._get(self._store, request.key, options={"range": {"suffix": request.num_bytes}})
            file.write(got.meta["size"].to_bytes(SIZE_BYTES, "little"))
            file.write(bytes(got.bytes()))
            return True

        write_once(Path(request.path), write)
        return Answer("here")

    def _ledger(self, bound: Bound) -> Ledger:
        with self._lock:
            if bound.ledger not in self._ledgers:
                self._ledgers[bound.ledger] = Ledger(Path(bound.ledger))
            return self._ledgers[bound.ledger]

    def _named(self, key: str) -> str:
        return self._settings.told(key)

    def _said(self, err: Exception) -> str:
        """The library's first line, which has the address in it; what follows is its own structures, over many lines."""
        return without_secrets(" ".join(str(err).split("\n\n", 1)[0].split()), self._settings.address)

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Errors of the library as ours, with the object's address; the library's own would tell all of it."""
        try:
            yield
        except FileNotFoundError:
            raise
        except self._forbidden as err:
            raise StorageError(
                f"{self._named(key)} may not be read: {self._said(err)}",
                remedy="Check the credentials in the environment; a store that may not be listed also says this of what "
                "is not there",
            ) from None
        except self._unsupported as err:
            raise StorageError(
                f"{self._named(key)}: the server gives no parts of files ({self._said(err)})",
                remedy="Use a server that knows range requests, or raise shard_cache_bytes so that all shards fit",
            ) from None
        except self._errors as err:
            raise _BrokenOffError(
                f"{self._named(key)} cannot be fetched: {self._said(err)}",
                remedy="Check the address, the network and what the environment says about the store, then read again",
            ) from None
        except OSError as err:
            raise StorageError(
                f"{self._named(key)} cannot be kept on this machine ({err.strerror or err})",
                path=err.filename,
                remedy="Make room on the disk of the cache's folder, or name another with cache_folder",
            ) from err
