"""Puts a simulated machine under Python: files, locks, time, random numbers, threads, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import builtins
import fcntl
import io
import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache
from typing import Any

from tests.simulation import calls as simulated
from tests.simulation.system import System

_LAZY = frozenset({"bagmill.streams.scan"})
"""Its hash goes hand in hand with the scan, and would wait for it for ever if it went first."""


class InlineExecutor(Executor):
    """Does what it is given at once, so that the order of calls is the code's, not the scheduler's."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as err:  # noqa: BLE001 - told by the future's result, as an executor does
            future.set_exception(err)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing is under way."""


class LazyExecutor(InlineExecutor):
    """Does what it is given when somebody asks for the result, or not at all."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.result = lambda timeout=None: fn(*args, **kwargs)  # type: ignore[method-assign]
        return future


class OwnLoops:
    """Runs coroutines in the thread that asks, where zarr has a thread for all that it does."""

    def __init__(self) -> None:
        self._loops: dict[int, asyncio.AbstractEventLoop] = {}

    def run(self, coroutine: Coroutine[Any, Any, Any], _: asyncio.AbstractEventLoop) -> Future[Any]:
        """As `asyncio.run_coroutine_threadsafe`."""
        thread = threading.get_ident()
        if thread not in self._loops:
            self._loops[thread] = asyncio.new_event_loop()
        future: Future[Any] = Future()
        try:
            future.set_result(self._loops[thread].run_until_complete(coroutine))
        except Exception as err:  # noqa: BLE001 - told by the future's result, as an executor does
            future.set_exception(err)
        return future

    def close(self) -> None:
        """End them all."""
        for loop in self._loops.values():
            loop.close()


async def _at_once(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


@contextmanager
def intercepted(system: System) -> Iterator[None]:
    """Everything that this Python process does meanwhile is done on the simulated machine, as its current process."""
    calls, loops = simulated.Calls(system), OwnLoops()
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
        (asyncio, "run_coroutine_threadsafe", loops.run),
        *_executors(len(sys.modules)),
    ]
    patches += [
        (module, "_renameat2", lambda: calls.renameat2) for module in _modules_with("_renameat2", len(sys.modules))
    ]
    before = [(place, name, getattr(place, name)) for place, name, _ in patches]
    try:
        for place, name, value in patches:
            setattr(place, name, value)
        with warnings.catch_warnings():
            # Nobody waits any more for what a process that was killed had begun.
            warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
            yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)
        loops.close()


@cache
def _executors(num_modules: int) -> list[tuple[Any, str, Any]]:
    return [
        (module, "ThreadPoolExecutor", LazyExecutor if module.__name__ in _LAZY else InlineExecutor)
        for module in _modules_with("ThreadPoolExecutor", num_modules)
    ]


@cache
def _modules_with(attribute: str, num_modules: int) -> list[Any]:
    """Of bagmill's modules those with an attribute; looked for again whenever there are more modules than before."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("bagmill.")]
    return [module for module in modules if attribute in vars(module)]


def _switching(system: System, function: Callable[..., Any]) -> Callable[..., Any]:
    def switch_and_call(*args: Any, **kwargs: Any) -> Any:
        if system.turns is not None:
            system.turns.may_switch()
        return function(*args, **kwargs)

    return switch_and_call
