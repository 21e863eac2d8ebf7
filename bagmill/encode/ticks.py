"""What describes an episode's ticks: their time, and per feature the source stamp, validity and lineage."""

from __future__ import annotations

from bagmill.alignment import Timeline
from bagmill.episodes import EpisodeWriter, layout


def write_ticks(writer: EpisodeWriter, timeline: Timeline) -> None:
    """Write `time`, and `source`, `valid`, `interpolated` and `sequence` of every feature, and of its parts where it has some.

    Raises:
        StorageError: The disk does not take them.
    """
    writer.put_array(layout.TIME, timeline.time_ns)
    parts = {f"{name}.{label}": aligned for (name, label), aligned in timeline.parts.items()}
    for name, aligned in {**timeline.features, **parts}.items():
        writer.put_array(f"{layout.SOURCE}/{name}", aligned.source_ns)
        writer.put_array(f"{layout.VALID}/{name}", aligned.is_valid)
        writer.put_array(f"{layout.INTERPOLATED}/{name}", aligned.is_interpolated)
        writer.put_array(f"{layout.SEQUENCE}/{name}", aligned.before)
