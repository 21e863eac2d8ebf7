"""Progress on standard error: bars where someone watches, a line a step where a file or a program reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from bagmill.cli.screen import notices
from bagmill.cli.wording import printable


class Steps:
    """Progress through several subjects (recordings, episodes), each of several steps.

    Args:
        noun: What a subject is called.
        num_subjects: How many there will be; a bar for all of them is shown where there are several.
    """

    def __init__(self, noun: str, *, num_subjects: int) -> None:
        self._noun = noun
        self._num_subjects = num_subjects
        self._num_done = 0
        self._console: Console = notices()
        self._subject = ""
        self._step: str | None = None
        self._bars: Progress | None = None
        self._all = TaskID(0)
        self._current: TaskID | None = None

    @contextmanager
    def subject(self, subject: str) -> Iterator[None]:
        """One subject's time; what is printed before and after it does not meet the bars."""
        self._subject = printable(subject)
        if self._console.is_terminal:
            self._bars = self._bars or self._new_bars()
            self._bars.start()
        try:
            yield
        finally:
            self._num_done += 1
            self._close_step()
            if self._bars is not None:
                self._bars.update(self._all, completed=self._num_done)
                self._bars.stop()

    def report(self, step: str, done: int, total: int) -> None:
        """Where the subject's step is; a `total` of 0 is not known yet."""
        if step != self._step:
            self._close_step()
            self._step = step
            if self._bars is None:
                self._console.print(Text(f"{self._subject}: {step}"), soft_wrap=True)
            else:
                self._current = self._bars.add_task(f"{self._subject}: {step}", total=total or None)
        if self._bars is not None and self._current is not None:
            self._bars.update(self._current, completed=done, total=total or None)

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

    def _close_step(self) -> None:
        if self._bars is not None and self._current is not None:
            self._bars.remove_task(self._current)
        self._current = None
        self._step = None
