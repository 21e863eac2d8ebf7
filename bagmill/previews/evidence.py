"""A preview decoded again, from its first frame to its last, and compared with what it should show."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.previews.mosaic import draw_mosaic, plan_mosaic
from bagmill.previews.thumbnail import spread_ticks
from bagmill.pulse import pulse
from bagmill.quality.metric import PreviewEvidence

_MAX_PSNR_DB = 100.0
"""Of equal pictures, whose PSNR is infinite."""


def check_preview(path: Path, episode: Episode, *, height: int, num_samples: int = 12) -> PreviewEvidence:
    """Decode a preview and compare some of its frames with the training frames of the same instant.

    A file that cannot be decoded to its end is no error here: the count of its frames says so.

    Args:
        path: The film.
        episode: What it is a film of.
        height: Lines of a tile, as it was written with.
        num_samples: Frames compared, spread over the episode.

    Raises:
        StorageError: The film is not there, the episode has nothing to film, or a frame of it is damaged.
    """
    mosaic = plan_mosaic(episode, height=height)
    if mosaic is None:
        raise StorageError("the episode has no frames, so no preview", path=episode.path)
    if not path.is_file():
        raise StorageError("there is no preview", path=path, remedy="Ingest the episode again with stage preview")
    wanted = set(spread_ticks(episode.num_ticks, count=num_samples))
    start_ns = int(episode.time_ns[0])
    num_frames = 0
    shown: dict[int, NDArray[np.uint8]] = {}
    try:
        with av.open(str(path)) as film:
            for frame in film.decode(video=0):
                num_frames += 1
                pulse()
                if frame.pts is None or frame.time_base is None:
                    continue
                tick = _nearest_tick(episode, start_ns + round(frame.pts * frame.time_base * 1_000_000_000))
                if tick in wanted and tick not in shown:
                    rgb = frame.to_ndarray(
                        format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG
                    )
                    shown[tick] = cast("NDArray[np.uint8]", rgb)
    except (av.error.FFmpegError, IndexError):
        # Not decodable from here on, or no film at all (no video stream): as many frames as came out.
        pass
    psnr_db = [_psnr_db(shown[tick], draw_mosaic(mosaic, episode, tick=tick, is_exact=True)) for tick in sorted(shown)]
    return PreviewEvidence(num_ticks=episode.num_ticks, num_frames_decoded=num_frames, psnr_db=psnr_db)


def _nearest_tick(episode: Episode, instant_ns: int) -> int:
    time_ns = episode.time_ns
    after = min(int(np.searchsorted(time_ns, instant_ns)), len(time_ns) - 1)
    before = max(after - 1, 0)
    return after if time_ns[after] - instant_ns < instant_ns - time_ns[before] else before


def _psnr_db(shown: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> float:
    if shown.shape != wanted.shape:
        return 0.0
    error = float(np.mean((shown.astype(np.float32) - wanted) ** 2))
    return _MAX_PSNR_DB if error == 0 else min(_MAX_PSNR_DB, 10 * float(np.log10(255**2 / error)))
