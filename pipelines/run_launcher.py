"""Runs as processes of this machine, as Dagster's default launcher has them, and whether such a process is still there.

The default launcher's runs are watched by the code server that started them. Where that went as well (a restart of the
machine, an operator who ends the service), nobody would say that a run has ended: it would count as under way for ever,
and the queue behind it would wait. Dagster's run monitoring asks here, and what it finds dead it marks as failed.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dagster import DagsterEventType, DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

_STARTED: Final = re.compile(r"^(?:Started process for run|Executing steps in process) \(pid: (\d+)\)\.?$")
_CLOCK_SLACK_S: Final = 5.0
"""A process says that it has started after it has; the kernel counts its start from the boot, in ticks."""


class WatchedRunLauncher(DefaultRunLauncher):
    """As `DefaultRunLauncher`, for a deployment whose runs are all on one machine."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: that is what it is for."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that a run said it had started is still the same process."""
        said = self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        starts = [(match[1], entry.timestamp) for entry in said if (match := _STARTED.match(entry.message))]
        if not starts:
            # It is started, by its status, and has not come to say by which process: too early to judge.
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        pid, said_at_s = starts[-1]
        if _is_alive(int(pid), said_at_s=said_at_s):
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=pid)
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND,
            f"the run's process {pid} is gone: it was ended, or the machine was",
            run_worker_id=pid,
        )


def _is_alive(pid: int, *, said_at_s: float) -> bool:
    """A process that is no zombie and began before it said so; a later one has only been given the same number."""
    try:
        # The name, in brackets, may hold anything; what follows it is numbers but for the state.
        state, *numbers = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return False
    started_at_s = _boot_time_s() + int(numbers[18]) / os.sysconf("SC_CLK_TCK")
    return state != "Z" and started_at_s <= said_at_s + _CLOCK_SLACK_S


def _boot_time_s() -> float:
    uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return datetime.now(UTC).timestamp() - uptime_s
