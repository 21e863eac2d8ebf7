"""Puts a simulated machine under Python's functions: files, locks, time, random numbers, threads, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import builtins
import fcntl
import io
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from tests.simulation import calls as simulated
from tests.simulation.system import System

_THREADED = frozenset({"bagmill.streams.scan"})
"""Its hash goes hand in hand with the scan, so that it needs a thread of its own; it reads recordings, which are not simulated."""


class InlineExecutor(Executor):
    """Does what it is given at once, so that the order of calls is the code's, not the scheduler's."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as err:
            future.set_exception(err)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing is under way."""


async def _at_once(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


@contextmanager
def intercepted(system: System) -> Iterator[None]:
    """Everything that this Python process does meanwhile is done on the simulated machine, as its current process."""
    calls = simulated.Calls(system)
    if system.turns is not None:
        for name in (*simulated.REPLACED, "flock"):
            setattr(calls, name, _switching(system, getattr(calls, name)))
    patches: list[tuple[Any, str, Any]] = [
        *((os, name, getattr(calls, name)) for name in simulated.REPLACED),
        *((os, name, calls.refusing(name)) for name in simulated.REFUSED),
        (os, "getpid", lambda: system.process.pid),
        (os, "urandom", system.rng.randbytes),
        (random, "_urandom", system.rng.randbytes),
        (io, "open", calls.io_open),
        (builtins, "open", calls.io_open),
        (fcntl, "flock", calls.flock),
        (time, "time_ns", system.clock.time_ns),
        (time, "time", lambda: system.clock.time_ns() / 1e9),
        (time, "perf_counter", system.clock.perf_counter),
        (asyncio, "to_thread", _at_once),
        *_executors(),
    ]
    patches += [(module, "_renameat2", lambda: calls.renameat2) for module in _modules_with("_renameat2")]
    before = [(place, name, getattr(place, name)) for place, name, _ in patches]
    try:
        for place, name, value in patches:
            setattr(place, name, value)
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)


def _executors() -> list[tuple[Any, str, Any]]:
    return [
        (module, "ThreadPoolExecutor", InlineExecutor)
        for module in _modules_with("ThreadPoolExecutor")
        if module.__name__ not in _THREADED
    ]


def _modules_with(attribute: str) -> list[Any]:
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("bagmill.")]
    return [module for module in modules if attribute in vars(module)]


def _switching(system: System, function: Callable[..., Any]) -> Callable[..., Any]:
    def switch_and_call(*args: Any, **kwargs: Any) -> Any:
        if system.turns is not None:
            system.turns.may_switch()
        return function(*args, **kwargs)

    return switch_and_call
