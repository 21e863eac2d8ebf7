"""Blocks held back by one, so that the last message before damage can be taken back.

Where a format has no checksum, damage that is first met as a record that is none may have begun in the message before.
"""

from __future__ import annotations

from collections.abc import Iterator

from bagmill.recordings.records import Block


def without_suspects(blocks: Iterator[Block | None]) -> Iterator[Block]:
    """The blocks, less the message before each None.

    Args:
        blocks: None says that the last message of the block before is not to be trusted.
    """
    held: Block | None = None
    for block in blocks:
        if block is None:
            if held is not None:
                drop_last(held)
            continue
        if not block.order:
            continue  # of channels that are not wanted, or of records that are no messages
        if held is not None and held.order:
            yield held
        held = block
    if held is not None and held.order:
        yield held


def drop_last(block: Block) -> None:
    """Take the last message out of a block."""
    if not block.order:
        return
    run = block.runs[block.order.pop()]
    for column in (run.log_times_ns, run.publish_times_ns, run.payloads, run.numbers):
        if column:
            column.pop()
    if not run.payloads:
        del block.runs[run.channel_id]
