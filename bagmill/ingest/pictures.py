"""The pictures that stages leave for people: which are drawn when, and where they go."""

from __future__ import annotations

from collections.abc import Iterable

from bagmill.dataset import Dataset, write_whole
from bagmill.disk import file_checksum
from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.previews import (
    RateSource,
    depth_ranges,
    make_contact_sheets,
    make_depth_picture,
    rates_plot,
)
from bagmill.profile import Profile
from bagmill.quality import RecordingEvidence
from bagmill.quality.used_streams import used_streams
from bagmill.streams import RecordingIndex


def draw_rates(index: RecordingIndex, profile: Profile) -> bytes:
    """The plot of the rates of the channels that the profile uses, PNG; for a recording that is refused, too.

    Args:
        index: Of the recording.
        profile: Says by which clock, and what rate is expected.
    """
    return rates_plot(
        {
            used.subject: RateSource(
                # What is wrong with header stamps is for the checks to say; when the messages came is seen still.
                used.stamps_ns if used.has_stamps else used.log_ns,
                used.expected_rate_hz,
            )
            for used in used_streams(RecordingEvidence(profile, index))
        }
    )


def write_pictures(dataset: Dataset, episode: Episode, *, name: str, version: str) -> None:
    """Draw and keep an episode's contact sheets and, where there is depth, its depth in colours.

    Args:
        dataset: Where they go.
        episode: What they show.
        name: The episode's name.
        version: Its version.

    The folder's names are synced by whoever saves the report, which speaks for them.

    Raises:
        StorageError: A frame is damaged, or the disk does not take a picture.
    """
    ranges = depth_ranges(episode)
    sheets = make_contact_sheets(episode, ranges=ranges)
    write_whole(dataset.contact_sheet_path(name, version), sheets.large, is_synced=False)
    write_whole(dataset.small_sheet_path(name, version), sheets.small, is_synced=False)
    depth = make_depth_picture(episode, ranges=ranges)
    if depth is not None:
        write_whole(dataset.depth_picture_path(name, version), depth, is_synced=False)


def checksums(dataset: Dataset, episode: str, version: str, kinds: Iterable[str]) -> dict[str, str]:
    """Checksums of an episode's film and pictures, by kind (see `EpisodeReport.pictures`), as far as they are there.

    Raises:
        StorageError: One cannot be read.
    """
    found = {}
    for kind in kinds:
        path = dataset.picture_path(episode, version, kind)
        try:
            found[kind] = file_checksum(path)
        except FileNotFoundError:
            continue
        except OSError as err:
            raise StorageError(f"cannot be read ({err.strerror})", path=path, remedy="Check the disk") from err
    return found
