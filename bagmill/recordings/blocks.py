"""Blocks of messages, one message at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from bagmill.recordings.records import Block, Message


def one_by_one(blocks: Iterable[Block]) -> Iterator[Message]:
    """The messages of blocks, in the recording's own order."""
    for block in blocks:
        rows = {
            run.channel_id: zip(
                count(run.first_sequence), run.log_times_ns, run.publish_times_ns, run.payloads, strict=False
            )
            for run in block.runs.values()
        }
        for channel_id in block.order:
            yield Message(channel_id, *next(rows[channel_id]))
