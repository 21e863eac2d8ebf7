"""Progress on standard error: bars where someone watches, a line a step where a file or a program reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from bagmill.cli.screen import notices
from bagmill.cli.wording import printable


class Steps:
    """Progress through several subjects (recordings, episodes), each of several steps; some of them at once.

    A context manager around all of them; `subject` is one around one.

    Args:
        noun: What a subject is called.
        num_subjects: How many there will be; a bar for all of them is shown where there are several.
    """

    def __init__(self, noun: str, *, num_subjects: int) -> None:
        self._noun = noun
        self._num_subjects = num_subjects
        self._num_done = 0
        self._console: Console = notices()
        self._under_way: dict[str, _Step] = {}
        self._bars: Progress | None = None
        self._all = TaskID(0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars = self._bars or self._new_bars()
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    @contextmanager
    def subject(self, subject: str) -> Iterator[None]:
        """One subject's time; what is printed before and after it does not meet the bars."""
        with self:
            self.begin(subject)
            try:
                yield
            finally:
                self.end(subject)

    def begin(self, subject: str) -> None:
        """From now on a subject is under way."""
        self._under_way[subject] = _Step()

    def report(self, step: str, done: int, total: int) -> None:
        """Where the step is of the subject that was begun last; a `total` of 0 is not known yet."""
        self.report_of(next(reversed(self._under_way)), step, done, total)

    def report_of(self, subject: str, step: str, done: int, total: int) -> None:
        """Where a subject's step is, as `report`."""
        state = self._under_way[subject]
        if step != state.name:
            self._close(state)
            state.name = step
            told = f"{printable(subject)}: {step}"
            if self._bars is None:
                self._console.print(Text(told), soft_wrap=True)
            else:
                state.bar = self._bars.add_task(told, total=total or None)
        if self._bars is not None and state.bar is not None:
            self._bars.update(state.bar, completed=done, total=total or None)

    def end(self, subject: str) -> None:
        """A subject is done."""
        self._num_done += 1
        self._close(self._under_way.pop(subject))
        if self._bars is not None:
            self._bars.update(self._all, completed=self._num_done)

    def say(self, sentence: str) -> None:
        """One line, above the bars where there are any."""
        console = self._console if self._bars is None else self._bars.console
        console.print(Text(printable(sentence)), soft_wrap=True)

    def _new_bars(self) -> Progress:
        bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(markup=False),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            # Else results printed meanwhile would go where the bars are, not to standard output.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._all = bars.add_task(f"{self._noun}s", total=self._num_subjects, visible=self._num_subjects > 1)
        return bars

    def _close(self, state: _Step) -> None:
        if self._bars is not None and state.bar is not None:
            self._bars.remove_task(state.bar)
        state.bar = None
        state.name = None


class _Step:
    """Where a subject is."""

    name: str | None = None
    bar: TaskID | None = None
