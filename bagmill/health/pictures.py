"""Films and pictures drawn again, from the episode or from the index of its recording's last scan."""

from __future__ import annotations

from dataclasses import replace

from bagmill.dataset import Dataset, EpisodeReport, load_report, save_report, write_whole
from bagmill.episodes import Episode
from bagmill.health.cannot_mend import CannotMendError
from bagmill.health.finding import Finding
from bagmill.health.reingest import made_by
from bagmill.ingest.pictures import checksums, draw_rates, write_pictures
from bagmill.ingest.timeline import make_timeline
from bagmill.plan import resolve, stamps_wanted
from bagmill.previews import skew_plot, write_preview
from bagmill.profile import Profile
from bagmill.streams import load_index

_FROM_EPISODE = ("jpg", "small.avif", "depth.jpg")
_REMEDY = "Ingest the episode again with --force"


def draw_again(dataset: Dataset, finding: Finding) -> None:
    """Draw a film or picture again, and have the report say its checksum.

    Raises:
        CannotMendError: What it is drawn from is not there any more.
        BagmillError: It is damaged, or the disk does not take the picture.
    """
    assert finding.episode is not None
    assert finding.version is not None
    episode, version = finding.episode, finding.version
    kind = finding.path.name.removeprefix(f"{version}.")
    report = load_report(dataset, episode, version=version)
    profile, _ = made_by(dataset, episode, version)
    if kind in ("rates.png", "skew.png"):
        write_whole(finding.path, _plot(dataset, report, profile, finding, kind=kind))
        kinds: tuple[str, ...] = (kind,)
    elif kind == "mp4":
        _film(dataset, report, profile, finding)
        kinds = (kind,)
    else:
        write_pictures(dataset, Episode.open(dataset.episode_path(episode, version)), name=episode, version=version)
        kinds = _FROM_EPISODE
    pictures = {**report.pictures, **checksums(dataset, episode, version, kinds)}
    save_report(dataset, replace(report, pictures=pictures))


def _film(dataset: Dataset, report: EpisodeReport, profile: Profile, finding: Finding) -> None:
    settings = profile.preview
    episode = Episode.open(dataset.episode_path(report.episode, str(report.version)))
    write_preview(episode, finding.path, crf=settings.crf, rate_hz=profile.rate_hz, height=settings.height)


def _plot(dataset: Dataset, report: EpisodeReport, profile: Profile, finding: Finding, *, kind: str) -> bytes:
    index = load_index(dataset.scan_path(report.episode))
    if index.content_hash != report.recording_hash or stamps_wanted(profile, index):
        raise CannotMendError("the scan that it is drawn from is not kept", path=finding.path, remedy=_REMEDY)
    return draw_rates(index, profile) if kind == "rates.png" else skew_plot(make_timeline(resolve(profile, index)))
