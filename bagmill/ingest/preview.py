"""Stage `preview`: the film, decoded again and judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bagmill.episodes import Episode
from bagmill.previews import check_preview, write_preview
from bagmill.profile import Profile
from bagmill.quality import CheckResult, judge


def make_preview(
    episode: Episode, profile: Profile, *, path: Path, progress: Callable[[int, int], None] | None
) -> tuple[dict[str, object], tuple[CheckResult, ...]]:
    """Film the episode, decode the film again, and judge it.

    Returns:
        Metadata with units in its keys, and the checks.

    Raises:
        StorageError: A frame cannot be read, or the disk does not take the film.
    """
    settings = {"height": profile.preview.height}
    info = write_preview(episode, path, crf=profile.preview.crf, rate_hz=profile.rate_hz, progress=progress, **settings)
    if info is None:
        return {"note": "no cameras, so nothing to film"}, ()
    evidence = check_preview(path, episode, **settings)
    metadata = {
        "path": str(path),
        "num_frames": info.num_frames,
        "width": info.width,
        "height": info.height,
        "size_bytes": info.size_bytes,
    }
    return metadata, judge("preview", evidence, profile)
