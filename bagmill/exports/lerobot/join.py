"""Films behind each other in one file, without encoding them again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from bagmill.errors import StorageError


def join_films(films: Sequence[tuple[Path, int]], path: Path, *, rate_hz: Fraction) -> None:
    """Join films of one camera and one setting of the encoder; a single one is moved.

    Args:
        films: Each with its number of pictures.
        path: The file to write.
        rate_hz: Pictures a second of all of them.

    Raises:
        StorageError: A film has another number of pictures.
        FFmpegError: One cannot be read, or the disk does not take it.
    """
    if len(films) == 1:
        films[0][0].replace(path)
        return
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as joined:
        target: VideoStream | None = None
        start = 0
        for part, num_frames in films:
            with av.open(str(part)) as film:
                stream = film.streams.video[0]
                if target is None:
                    # opaque: its codec is only known to be read here, not written.
                    target = joined.add_stream_from_template(stream, opaque=True)
                packets = [packet for packet in film.demux(stream) if packet.size]
                if len(packets) != num_frames:
                    raise miscounted(part, found=len(packets), expected=num_frames)
                assert stream.time_base is not None
                shift = round(start / rate_hz / stream.time_base)
                for packet in packets:
                    packet.stream = target
                    packet.pts = None if packet.pts is None else packet.pts + shift
                    packet.dts = None if packet.dts is None else packet.dts + shift
                    joined.mux(packet)
            start += num_frames


def miscounted(path: Path, *, found: int, expected: int) -> StorageError:
    """The error for a film that is not what was encoded."""
    return StorageError(
        f"the film has {found} pictures where {expected} were written", path=path, remedy="Export again"
    )
