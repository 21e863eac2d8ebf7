"""One piece of work on a recording in a child process, as if it had been called here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from bagmill.errors import RecordingError
from bagmill.workers.crash import cause_of
from bagmill.workers.memory import child_memory_bytes
from bagmill.workers.protocol import Raised, Returned
from bagmill.workers.server import Child, ServerGoneError, server

T = TypeVar("T")


def run_guarded(
    function: Callable[..., T], *arguments: Any, what: Path | str, progress: Callable[..., None] | None = None
) -> T:
    """Call a function in a child process, as `limits()` allow it.

    Args:
        function: Of a module; it takes `progress` as a keyword, and calls it while it comes further.
        arguments: That can be pickled, as what it returns.
        what: The recording that it works on, for the error.
        progress: Called with what the function's is called with; of calls that follow each other fast, with some.

    Returns:
        What it returned.

    Raises:
        BagmillError: What it raised.
        RecordingError: Its process crashed, was silent for too long, or took too much memory.
    """
    child = _run(function, arguments, what, progress)
    match child.answer:
        case Returned(value):
            return cast("T", value)
        case Raised(error):
            raise error
    cause = cause_of(child)
    remedy = cause.remedy
    if cause.kind == "crashed" and cause.details:
        remedy = f"{remedy}, which is kept in {keep_details(cause.details)}"
    raise RecordingError(cause.reason.rstrip("."), path=what, remedy=remedy)


def _run(
    function: Callable[..., Any], arguments: tuple[Any, ...], what: Path | str, progress: Callable[..., None] | None
) -> Child:
    child: Child | None = None
    for _ in range(2):
        try:
            with server() as serving:
                child = serving.start(function, *arguments, memory_bytes=child_memory_bytes(1), told=progress)
                serving.wait()
                return child
        except ServerGoneError:
            if child is not None and child.process:
                break  # it was at work
    raise RecordingError("the process that starts the workers was ended", path=what)


def keep_details(details: str) -> Path:
    """Write what is known of a failure into a temporary file that stays, and give its path."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="bagmill-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        file.write(details + "\n")
    return Path(file.name)
