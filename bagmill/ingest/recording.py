"""Stage `recording`: the scan, and what it tells people."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Profile
from bagmill.quality import CheckResult, RecordingEvidence, judge
from bagmill.streams import RecordingIndex, Stream, mixed_pictures, picture_text


def judge_recording(index: RecordingIndex, profile: Profile) -> tuple[CheckResult, ...]:
    """The checks that need no more than the index."""
    return judge("recording", RecordingEvidence(profile, index), profile)


def describe_recording(index: RecordingIndex) -> dict[str, object]:
    """What a scan found, as plain values with units in their keys."""
    return {
        "path": index.path,
        "container": index.container,
        "content_hash": index.content_hash,
        "size_bytes": index.size_bytes,
        "num_messages": index.num_messages_from_scan,
        "duration_s": round(_duration_ns(index) / 1e9, 3),
        "channels": [_describe_stream(stream) for stream in index.streams],
        **({"losses": [loss.sentence for loss in index.losses.entries]} if index.is_salvaged else {}),
        "faults": [f"{fault.severity}: {fault.message}" for fault in index.faults],
    }


def _describe_stream(stream: Stream) -> dict[str, object]:
    content = stream.content
    return {
        "channel": stream.channel.topic,
        "type": stream.channel.schema_name,
        "messages": stream.num_messages,
        "rate_hz": median_rate_hz(stream.log_time_ns),
        "size_bytes": int(stream.size_bytes.sum()),
        "holds": content.problem or _pictures(stream) or (", ".join(list(content.fields)[:4]) or "nothing numeric"),
    }


def _pictures(stream: Stream) -> str:
    """What pictures a channel holds; empty where it holds none."""
    is_camera = stream.content.kind in ("image", "depth")
    return (mixed_pictures(stream) or picture_text(stream.content)) if is_camera else ""


def median_rate_hz(stamps_ns: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float | None:
    """Messages a second by the median interval, which a pause does not bend; None for fewer than two distinct stamps."""
    intervals = np.diff(np.sort(stamps_ns))
    period = float(np.median(intervals)) if len(intervals) else 0.0
    return round(1e9 / period, 3) if period > 0 else None


def _duration_ns(index: RecordingIndex) -> int:
    """From the first to the last log time, without the messages that stand at zero: drivers and tests write those."""
    stamps = [stream.log_time_ns[stream.log_time_ns > 0] for stream in index.streams]
    filled = [stamp for stamp in stamps if len(stamp)]
    return max(int(stamp.max()) for stamp in filled) - min(int(stamp.min()) for stamp in filled) if filled else 0
