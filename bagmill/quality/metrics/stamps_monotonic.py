"""Messages whose stamps go back in time."""

from __future__ import annotations

import numpy as np

from bagmill.alignment.neighbours import elapsed_ns
from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.quality.used_streams import used_streams


class StampsMonotonic:
    """Messages whose stamp is earlier than that of the message recorded before them, by the clock in use.

    A warning by default: ticks that such messages would feed are invalid, which `tick_coverage` judges, and what a clock
    that was set does to an episode is judged by `clock_steps`. Stamps that repeat are told in the note only.
    """

    name = "stamps_monotonic"
    stage: Stage = "recording"
    unit = "messages"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "warn"
    description = (
        "Messages stamped earlier than the message before them on their channel. A failure means that a clock was "
        "set back during the recording, or that messages overtook each other on the network."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One count a channel."""
        measurements = []
        for used in used_streams(evidence):
            if not used.has_stamps:
                measurements.append(used.unmeasured("no header stamps"))
                continue
            stamps = used.stamps_ns
            earlier, later = stamps[1:], stamps[:-1]
            goes_back = earlier < later
            count, num_repeated = int(np.count_nonzero(goes_back)), int(np.count_nonzero(earlier == later))
            notes = []
            if count:
                step_ms = int(elapsed_ns(earlier[goes_back], later[goes_back]).max()) / 1e6
                notes.append(f"at most {step_ms:,.3f} ms back")
            if num_repeated:
                notes.append(f"{num_repeated:,} stamps repeat the one before")
            measurements.append(Measurement(used.subject, float(count), "; ".join(notes)))
        return measurements
