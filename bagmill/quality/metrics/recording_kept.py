"""How much of a recording its episode keeps."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, Stage, TimelineEvidence
from bagmill.quality.recording_extent import STARTUP_NS, RecordingExtent, recording_extent
from bagmill.quality.used_parts import UsedPart, used_parts


class RecordingKept:
    """Time from the first to the last message within the episode, in percent of the time the recording lasts.

    Both by the log clock, so that it does not matter how fast the clock in use runs. Not judged where less is left out
    than sensors take to start, or than lies between two ticks.
    """

    name = "recording_kept"
    stage: Stage = "timeline"
    unit = "%"
    direction: Direction = "higher"
    threshold: float | None = 75.0
    severity: Severity = "error"
    description = (
        "How much of the recording's time is in the episode. A failure means that a required feature starts late or "
        "stops early, a camera that died, say, and takes the others' data with it."
    )

    def measure(self, evidence: TimelineEvidence) -> list[Measurement]:
        """One percentage for the recording."""
        plan, ticks_ns = evidence.plan, evidence.timeline.time_ns
        every = list(used_parts(evidence))
        parts = [part for part in every if part.is_required] or every
        extent = recording_extent(plan.index, needed_topics={part.topic for part in parts})
        if extent is None:
            return [Measurement("recording", float("nan"), "recorded at one instant", is_judged=False)]
        within = [
            part.log_ns[
                (part.stamps_ns >= ticks_ns[0]) & (part.stamps_ns <= ticks_ns[-1]) & extent.contains(part.log_ns)
            ]
            for part in parts
        ]
        known = np.concatenate(within)
        kept_ns = int(known.max() - known.min()) if len(known) else 0
        left_out_ns = extent.length_ns - kept_ns
        note = f"{kept_ns / 1e9:,.1f} s of {extent.length_ns / 1e9:,.1f} s"
        if is_judged := left_out_ns > max(STARTUP_NS, 1e9 / plan.profile.rate_hz):
            note = "; ".join([note, *_why(parts, extent, is_union=plan.profile.span == "union")])
        return [Measurement("recording", 100 * kept_ns / extent.length_ns, note, is_judged=is_judged)]


def _why(parts: list[UsedPart], extent: RecordingExtent, *, is_union: bool) -> list[str]:
    """Which features start last and end first, and what to do."""
    spans = {part.subject: part.log_ns[extent.contains(part.log_ns)] for part in parts}
    starts = {subject: int(log.min()) - extent.start_ns for subject, log in spans.items() if len(log)}
    ends = {subject: extent.end_ns - int(log.max()) for subject, log in spans.items() if len(log)}
    choose = min if is_union else max
    notes = []
    for missing, words in ((starts, "starts {} s after the recording"), (ends, "ends {} s before the recording does")):
        subject = choose(missing, key=missing.__getitem__, default="")
        if missing and missing[subject] > STARTUP_NS:
            notes.append(f"{subject} {words.format(f'{missing[subject] / 1e9:,.1f}')}")
    if notes and not is_union:
        notes.append("`required: false` of it, or `span: union`, keeps what the others recorded meanwhile")
    return notes
