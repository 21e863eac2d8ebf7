"""Recordings that are read with salvage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bagmill.recordings import open_recording
from bagmill.recordings.losses import Losses

Row = tuple[str, int, int, bytes]


@dataclass(frozen=True)
class Salvaged:
    rows: list[Row]
    losses: Losses
    codes: list[str]


@pytest.fixture
def salvage() -> Callable[..., Salvaged]:
    """Everything that a damaged recording gives, the same in every pass, in threads, and for some of its channels."""

    def read(path: Path) -> Salvaged:
        with open_recording(path, salvage=True) as recording:
            rows = [
                (recording.channels[m.channel_id].topic, m.log_time_ns, m.publish_time_ns, bytes(m.data))
                for m in recording.messages()
            ]
            losses, codes = recording.losses, [fault.code for fault in recording.faults]
            numbered = [(m.channel_id, m.sequence, bytes(m.data)) for m in recording.messages(num_threads=3)]
            assert [data for _, _, data in numbered] == [data for _, _, _, data in rows]
            for channel in recording.channels[:2]:
                some = [(m.channel_id, m.sequence, bytes(m.data)) for m in recording.messages([channel.id])]
                assert some == [row for row in numbered if row[0] == channel.id]
            assert recording.losses == losses
            assert [fault.code for fault in recording.faults] == codes
        return Salvaged(rows, losses, codes)

    return read
