"""What a whole pass over an MCAP's data found, held against what the file's summary says."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.losses import LossLog
from bagmill.recordings.mcap_channels import UNKNOWN, PassChannels
from bagmill.recordings.mcap_summary import Summary


def compare_with_summary(
    summary: Summary, channels: PassChannels, *, met_chunks: Collection[int], faults: FaultLog, losses: LossLog
) -> dict[int, int] | None:
    """Name every difference.

    Args:
        summary: Of the file.
        channels: Of the pass, which is over.
        met_chunks: Offsets of the chunks that the pass came by.
        faults: Where differences go: an error where there is less than was counted, else a warning.
        losses: Where the messages go that were counted and not found.

    Returns:
        Messages by channel id as the summary counts them; None where it does not.
    """
    if summary.problem is not None:
        faults.add("summary_damaged", f"The summary is not used: {summary.problem}.", severity="warning")
    expected = channels.finish(summary)
    num_found = sum(channels.counts)
    for mcap_id, num_lost in channels.num_lost.items():
        losses.add("unknown_channel", "all over the file", channel=channels.topic_of(mcap_id), num_messages=num_lost)
    if expected is not None:
        losses.count(_missing(expected, channels))
    for channel_id, count in (expected or {}).items():
        is_known = channel_id != UNKNOWN
        found = channels.counts[channel_id] if is_known else 0
        topic = channels.topic(channel_id) if is_known else "an unknown channel"
        _compare(topic, found=found, expected=count, faults=faults)
    if summary.statistics is not None and not expected:
        _compare("all channels together", found=num_found, expected=summary.statistics.message_count, faults=faults)
    missing = sorted(set(summary.chunk_offsets) - set(met_chunks))
    if missing:
        # Where every message is there all the same, it is the summary that is wrong.
        is_counted = summary.statistics is not None and summary.statistics.message_count == num_found
        faults.add(
            "chunk_missing",
            f"{len(missing)} chunks that the summary names were not met, the first at byte {missing[0]}.",
            severity="warning" if is_counted else "error",
        )
    if expected is None:
        return None
    expected.pop(UNKNOWN, None)
    return expected


def _missing(expected: Mapping[int, int], channels: PassChannels) -> dict[str, int]:
    """Messages by topic that were counted and not found."""
    missing: dict[str, int] = {}
    for channel_id, count in expected.items():
        if channel_id != UNKNOWN and count > channels.counts[channel_id]:
            topic = channels.topic(channel_id)
            missing[topic] = missing.get(topic, 0) + count - channels.counts[channel_id]
    return missing


def _compare(topic: str, *, found: int, expected: int, faults: FaultLog) -> None:
    if found != expected:
        faults.add(
            "count_differs_from_summary",
            f"There are {found} messages on {topic} where the summary counts {expected}.",
            severity="error" if found < expected else "warning",
        )
