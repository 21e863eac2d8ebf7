"""Dagster's daemon: whether it is there, by the heartbeats that it stores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import dagster as dg

from pipelines.watch.concern import Concern

SILENT_AFTER_S: Final = 300.0
"""A daemon stores a heartbeat every half minute; a tick that takes its full minute delays one."""


def look_at_daemons(instance: dg.DagsterInstance, *, since_s: float) -> Iterator[Concern]:
    """What concerns Dagster's daemon.

    Args:
        instance: Keeps the heartbeats.
        since_s: When the watch began, in seconds since the Unix epoch: before that, nobody need have been there.
    """
    heartbeats = instance.get_daemon_heartbeats()
    wanted = instance.get_required_daemon_types()
    last_s = {kind: heartbeats[kind].timestamp if kind in heartbeats else 0.0 for kind in wanted}
    now_s = time.time()
    silent = sorted(kind for kind, at_s in last_s.items() if now_s - max(at_s, since_s) > SILENT_AFTER_S)
    if not silent:
        return
    is_gone = len(silent) == len(wanted)
    said = "Dagster's daemon is gone" if is_gone else f"Of Dagster's daemon, {', '.join(silent)} has stopped"
    last = max(last_s[kind] for kind in silent)
    ago = f": its last sign of life was {(now_s - last) / 60:.0f} minutes ago" if last else " or was never started"
    yield Concern(
        "daemon_gone",
        "daemon",
        f"{said}{ago}. No sensor and no schedule runs, and no queued run starts. Start it again: "
        "`systemctl restart bagmill-daemon`, and see why it ended: `journalctl -u bagmill-daemon`.",
        "/deployment/daemons",
    )
