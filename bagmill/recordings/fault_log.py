"""The faults of one open recording, each told once however often it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

from bagmill.limits import limits
from bagmill.recordings.records import Fault

Severity = Literal["error", "warning"]
_MOST_REMEMBERED: Final = 1_000_000
"""Faults beyond those kept word for word that are told apart when a second pass finds them again: 100 bytes each."""


class FaultLog:
    """Faults in the order in which they were found; a second pass over the same bytes adds nothing.

    As many as `limits().faults` are kept word for word. Those beyond are counted by kind.
    """

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str], Fault] = {}
        self._beyond: Counter[tuple[str, Severity]] = Counter()
        self._remembered: set[int] = set()

    def add(self, code: str, message: str, *, severity: Severity = "error") -> None:
        """Record a fault, unless the same one was recorded before."""
        self._take(Fault(code, message, severity))

    def extend(self, faults: Iterable[Fault], *, where: str = "") -> None:
        """Take over the faults of another log.

        Args:
            faults: In their order.
            where: The file of several that they are about.
        """
        for fault in faults:
            if fault.num_untold:
                self._beyond[fault.code, fault.severity] += fault.num_untold
            else:
                message = f"{where}: {fault.message}" if where else fault.message
                self._take(Fault(fault.code, message, fault.severity))

    def __len__(self) -> int:
        return len(self._faults) + self._beyond.total()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """In the order in which they were found; behind them one for each kind of which there are more."""
        beyond = (_untold(code, severity, num) for (code, severity), num in self._beyond.items())
        return (*self._faults.values(), *beyond)

    def _take(self, fault: Fault) -> None:
        key = (fault.code, fault.message)
        if key in self._faults:
            return
        if len(self._faults) < limits().faults:
            self._faults[key] = fault
            return
        mark = hash(key)
        if mark not in self._remembered:
            if len(self._remembered) < _MOST_REMEMBERED:
                self._remembered.add(mark)
            self._beyond[fault.code, fault.severity] += 1


def _untold(code: str, severity: Severity, num: int) -> Fault:
    more = "more fault" if num == 1 else "more faults"
    return Fault(code, f"There {'is' if num == 1 else 'are'} {num:,} {more} of the kind {code}.", severity, num)
