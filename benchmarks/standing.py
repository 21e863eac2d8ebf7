"""A contender in a process of its own that stays: it is prepared once and asked again and again, in turns with the others.

`benchmarks.child` starts a process for every sample, which is right where preparing is cheap. Here a contender imports torch
and opens its files once, and the others take their turns a second later, not a minute later.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_ROOT: Final = Path(__file__).resolve().parents[1]
_MARK: Final = "ANSWER "
_READY: Final = "ready"

Answers = Callable[..., Mapping[str, Any]]
"""What a contender's `prepare` gives: it is called with what `ask` is given, and its plain values are what `ask` gives."""


class StandingChild:
    """A process that answers; it is ended by leaving the `with`.

    Args:
        target: `package.module:function`; it takes the arguments and returns `Answers`.
        arguments: By name, as JSON can carry them.
        python: The interpreter.
        environment: Variables besides this process's own.

    Raises:
        RuntimeError: The process failed; its last words are in the message. So do all answers.
    """

    def __init__(
        self,
        target: str,
        arguments: Mapping[str, Any],
        *,
        python: Path = Path(sys.executable),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._target = target
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the process is
        self._process = subprocess.Popen(
            [str(python), "-m", "benchmarks.standing", target, json.dumps(dict(arguments))],
            cwd=_ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self._answer()
        except RuntimeError:
            self.__exit__(None, None, None)
            raise

    def ask(self, **question: Any) -> dict[str, Any]:
        """Call the contender, and give its answer.

        Args:
            question: By name, as JSON can carry them.
        """
        assert self._process.stdin is not None, "it is a pipe"
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None
        return self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None, "it is a pipe"
        assert self._process.stdout is not None, "it is a pipe"
        with self._process.stdout, self._errors:
            try:
                self._process.stdin.close()
                self._process.wait(timeout=20)
            except (subprocess.TimeoutExpired, BrokenPipeError):
                self._process.kill()
                self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "it is a pipe"
        for line in self._process.stdout:
            # Whatever else its libraries print is not for us.
            if line.startswith(_MARK):
                answer: dict[str, Any] = json.loads(line.removeprefix(_MARK))
                return answer
        raise self._failed()

    def _failed(self) -> RuntimeError:
        self._process.wait()
        self._errors.seek(0)
        return RuntimeError(f"{self._target} failed:\n{self._errors.read().decode('utf-8', 'replace')[-2000:]}")


def pss_bytes() -> int:
    """Memory of this process and of those it has started, what they share counted once."""
    return sum(_pss_bytes(pid) for pid in (os.getpid(), *child_processes()))


def rss_bytes(pid: int) -> int:
    """Resident memory of a process; 0 where it is gone."""
    return _field_bytes(Path(f"/proc/{pid}/status"), "VmRSS:")


def child_processes() -> list[int]:
    """Ids of the processes that any thread of this one has started and that still run."""
    tasks = Path("/proc/self/task").iterdir()
    return sorted({int(pid) for task in tasks for pid in (task / "children").read_text(encoding="ascii").split()})


def _pss_bytes(pid: int) -> int:
    return _field_bytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def _field_bytes(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def main() -> None:
    """What the process does."""
    module, _, name = sys.argv[1].partition(":")
    answer: Answers = getattr(import_module(module), name)(**json.loads(sys.argv[2]))
    print(f"\n{_MARK}{json.dumps({_READY: True})}", flush=True)
    for line in sys.stdin:
        print(f"\n{_MARK}{json.dumps(dict(answer(**json.loads(line))))}", flush=True)


if __name__ == "__main__":
    main()
