"""One contender in a process of its own: its seconds, processor time and peak memory, not its neighbours'.

The child imports a function by name and calls it with plain arguments: what it does is preparation. It gives back what is
measured, a function without arguments, whose result is plain values too.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_MARK: Final = "MEASURED "
_WARM_BYTES: Final = 2 << 30


@dataclass(frozen=True, slots=True)
class Measured:
    """One call in a process of its own."""

    seconds: float
    """Wall time of the call; starting Python and the preparation are not in it."""
    cpu_seconds: float
    """User and system time of the call on all its threads and finished children."""
    peak_rss_bytes: int
    """Of the process at any time, with Python and all that was imported."""
    result: dict[str, Any]
    """What the call gave."""


def run_child(
    target: str,
    arguments: Mapping[str, Any],
    *,
    python: Path = Path(sys.executable),
    environment: Mapping[str, str] | None = None,
) -> Measured:
    """Call a function in a new process.

    Args:
        target: `package.module:function`; it takes the arguments and returns the function to be measured.
        arguments: By name, as JSON can carry them.
        python: The interpreter.
        environment: Variables besides this process's own.

    Raises:
        RuntimeError: The child failed; its last words are in the message.
    """
    command = [str(python), "-m", "benchmarks.child", target, json.dumps(dict(arguments))]
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=_ROOT, env=variables, capture_output=True, text=True, check=False)
    last = done.stdout.rpartition(_MARK)
    if done.returncode or not last[1]:
        raise RuntimeError(f"{target} failed:\n{done.stderr[-2000:]}")
    return Measured(**json.loads(last[2]))


def measure(work: Callable[[], Mapping[str, Any]]) -> Measured:
    """Call a function here and now; peak memory is that of the process so far."""
    _warm_memory()
    cpu, started = _cpu_seconds(), time.perf_counter()
    result = dict(work())
    seconds = time.perf_counter() - started
    return Measured(seconds, _cpu_seconds() - cpu, peak_rss_bytes(), result)


def peak_rss_bytes() -> int:
    """The most memory this process has had resident; `ru_maxrss` would begin with its parent's."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError("/proc/self/status has no VmHWM: peak memory is measured on Linux only")


def _warm_memory() -> None:
    """Have the machine own the memory that is about to be used.

    A virtual machine gives free memory back to its host within seconds, and asking for it again costs some 4 s a GiB,
    where memory it still owns costs 0.2 s. Whoever ran last left more or less of it: that would be measured.
    """
    touch = (
        f"import mmap; mmap.mmap(-1, {_WARM_BYTES}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)"
    )
    subprocess.run([sys.executable, "-c", touch], check=True)


def _cpu_seconds() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    """What the child does."""
    module, _, name = sys.argv[1].partition(":")
    measured = measure(getattr(import_module(module), name)(**json.loads(sys.argv[2])))
    fields = {name: getattr(measured, name) for name in Measured.__dataclass_fields__}
    print(_MARK + json.dumps(fields), flush=True)


if __name__ == "__main__":
    main()
