"""Messages that were compressed one by one, as rosbag2 does on demand: unpacked where the bytes themselves say so.

A rosbag2 folder's metadata.yaml tells of this compression; a file that was taken out of its folder does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.compression import ZSTD_MAGIC, DecompressionError, decompress_zstd_message
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.records import Block, Buffer, Channel

_BLOCK_BYTES = 1 << 20


def unpacked(
    blocks: Iterable[Block],
    channel_of: Callable[[int], Channel],
    *,
    faults: FaultLog,
    allowance: Allowance,
    path: Path,
) -> Iterator[Block]:
    """The same messages, those unpacked that are zstd frames where CDR is due: no CDR message begins like one.

    Args:
        blocks: As read.
        channel_of: The channel with an id.
        faults: Told once for every channel with such messages.
        allowance: Of the pass.
        path: The file, for what is above a limit.

    Raises:
        LimitError: A message, or all of them, unpack to more than is taken.
    """
    for block in blocks:
        packed = {
            channel_id
            for channel_id, run in block.runs.items()
            if _is_packed(run.payloads[0]) and channel_of(channel_id).message_encoding == "cdr"
        }
        if not packed:
            yield block
            continue
        for channel_id in packed:
            faults.add(
                "messages_packed",
                f"The messages on {channel_of(channel_id).topic} are compressed one by one with zstd, which only a rosbag2's "
                "metadata.yaml would say; they are unpacked.",
                severity="warning",
            )
        with limits_told_of(path):
            yield from _unpack(block, packed, allowance)


def _unpack(block: Block, packed: set[int], allowance: Allowance) -> Iterator[Block]:
    """A block's messages in smaller blocks: unpacked, they are many times what was read."""
    made, made_bytes = Block(), 0
    numbers = {run.channel_id: iter(run.numbers) for run in block.runs.values() if run.numbers}
    for channel_id, sequence, log_time_ns, publish_time_ns, data in one_by_one([block]):
        payload = _content(data, allowance) if channel_id in packed and _is_packed(data) else data
        made.add(channel_id, sequence, log_time_ns, publish_time_ns, payload)
        if channel_id in numbers:
            made.runs[channel_id].numbers.append(next(numbers[channel_id]))
        made_bytes += len(payload)
        if made_bytes >= _BLOCK_BYTES:
            yield made
            made, made_bytes = Block(), 0
    if made.order:
        yield made


def _is_packed(data: Buffer) -> bool:
    return data[:4] == ZSTD_MAGIC


def _content(data: Buffer, allowance: Allowance) -> Buffer:
    try:
        content = decompress_zstd_message(data)
    except DecompressionError as err:
        allowance.unpack(err.num_bytes)
        return data  # damaged: it keeps its place, and its decoder says that it is no message
    allowance.unpack(len(content))
    return content
