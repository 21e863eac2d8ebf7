"""The faults of one open recording, each told once however often it is read."""

from __future__ import annotations

from typing import Literal

from bagmill.recordings.records import Fault


class FaultLog:
    """Faults in the order in which they were found; a second pass over the same bytes adds nothing."""

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str], Fault] = {}

    def add(self, code: str, message: str, *, severity: Literal["error", "warning"] = "error") -> None:
        """Record a fault, unless the same one was recorded before."""
        self._faults.setdefault((code, message), Fault(code, message, severity))

    def extend(self, faults: tuple[Fault, ...], *, where: str) -> None:
        """Take over the faults of one file of several, each with the file's name in front."""
        for fault in faults:
            self.add(fault.code, f"{where}: {fault.message}", severity=fault.severity)

    def __len__(self) -> int:
        return len(self._faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """In the order in which they were found."""
        return tuple(self._faults.values())
