"""What an export's report tells, gathered while its episodes go by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bagmill.episodes import Episode
from bagmill.errors import ExportError
from bagmill.exports.held import InvalidTicks, reason_to_skip
from bagmill.exports.report import (
    ExportedEpisode,
    ExportedFeature,
    ExportReport,
    SkippedEpisode,
    common_losses,
    folder_bytes,
    save_report,
)
from bagmill.exports.source import ExportSource, SourceEpisode
from bagmill.exports.tally import FeatureTally, left_out

Progress = Callable[[int, int], None]
"""Called with how many pictures are done, and of how many; of ticks where there are no pictures."""


class ExportLog:
    """Goes through an export's episodes and keeps account.

    Args:
        source: Which episodes.
        tallies: Of the features that are written, by their names.
        homeless: Features that the format has no place for → why.
        invalid: What becomes of ticks without a value.
        progress: Whom to tell how far it is.
    """

    def __init__(
        self,
        source: ExportSource,
        tallies: Mapping[str, FeatureTally],
        *,
        homeless: Mapping[str, str],
        invalid: InvalidTicks,
        progress: Progress | None,
    ) -> None:
        self.tallies = tallies
        self.written: list[ExportedEpisode] = []
        self.num_ticks = 0
        """Of the episodes written so far."""
        self._source = source
        self._missing = {**homeless, **source.left_out}
        self._invalid = invalid
        self._skipped: list[SkippedEpisode] = []
        self._progress = progress
        self._pictures_a_tick = sum(tally.feature.kind != "signal" for tally in tallies.values())
        self._num_done = 0

    def episodes(self) -> Iterator[tuple[SourceEpisode, Episode]]:
        """Every episode that is to be written, open; it counts as written when the next one is asked for.

        Raises:
            ExportError: There was none.
            StorageError: One is damaged.
        """
        for each in self._source.episodes:
            episode = each.open()
            reason = reason_to_skip(episode, [*self.tallies], invalid=self._invalid)
            if reason is not None:
                self._skipped.append(SkippedEpisode(each.name, each.version, reason))
                self.advance(each.num_ticks * max(1, self._pictures_a_tick))
                continue
            yield each, episode
            if not self._pictures_a_tick:
                self.advance(each.num_ticks)
            for tally in self.tallies.values():
                tally.count(episode)
            self.written.append(ExportedEpisode(len(self.written), each.name, each.version, episode.num_ticks))
            self.num_ticks += episode.num_ticks
        if not self.written:
            raise ExportError(
                f"no episode can be exported: {self._skipped[0].episode}: {self._skipped[0].reason}",
                path=self._source.dataset.path,
                remedy="Leave out the feature, or hold the last valid value",
            )

    def advance(self, count: int) -> None:
        """Count pictures; a negative number where they have to be made again."""
        self._num_done += count
        if self._progress is not None:
            self._progress(self._num_done, self._source.num_ticks * max(1, self._pictures_a_tick))

    def report(
        self,
        folder: Path,
        path: Path,
        *,
        layout: str,
        settings: Mapping[str, object],
        has_facts: bool,
        more_losses: Sequence[str] = (),
    ) -> ExportReport:
        """Write the report into the folder.

        Args:
            folder: Where the export has been written.
            path: Where it will be.
            layout: Name of the format.
            settings: How it was written.
            has_facts: Whether stamps, masks and message numbers are in there.
            more_losses: Sentences on what only this format loses.

        Raises:
            StorageError: The disk does not take it.
        """
        source = self._source
        features = (
            *(tally.result() for tally in self.tallies.values()),
            *(left_out(name, why) for name, why in self._missing.items()),
        )
        report = ExportReport(
            layout=layout,
            path=str(path.absolute()),
            dataset=str(source.dataset.path.absolute()),
            snapshot=source.snapshot_id,
            where=source.where,
            rate_hz=str(source.rate_hz),
            settings=settings,
            num_ticks=self.num_ticks,
            size_bytes=folder_bytes(folder),
            features=features,
            losses=(*common_losses(features, has_facts=has_facts), *more_losses),
            notes=(*(f"{note}." for note in source.notes), *_notes_on_values(features)),
            episodes=tuple(self.written),
            skipped=tuple(self._skipped),
        )
        save_report(report, folder)
        return report


def _notes_on_values(features: Sequence[ExportedFeature]) -> list[str]:
    return [
        f"{each.feature}: {each.num_not_finite:,} numbers are infinite or nan, and are written so."
        for each in features
        if each.num_not_finite
    ]
