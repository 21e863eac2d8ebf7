"""Messages that are missing in a damaged recording of which an episode is made all the same."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.recordings.losses import Loss

_SHOWN = 3


class Salvaged:
    """Messages that a salvaged recording no longer gives, by channel where that is known."""

    name = "salvaged"
    stage: Stage = "recording"
    unit = "messages"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "warn"
    description = (
        "Messages that could not be read in a damaged recording, with `salvage: true` in the profile. A failure means that the "
        "episode is cut or has holes; where it cannot be known how many messages are missing, each such place counts as one."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One count a channel, and one for what is missing of unknown channels; nothing where nothing is salvaged."""
        if not evidence.profile.salvage:
            return []
        losses = evidence.index.losses
        by_channel: dict[str, list[Loss]] = {}
        for loss in losses.entries:
            by_channel.setdefault(loss.channel or "recording", []).append(loss)
        by_channel.setdefault("recording", [])
        is_counted = losses.num_messages is not None
        return [
            # What is missing at a place of unknown channels is in the channels' own counts, where there are such.
            _measurement(subject, found, is_counted=is_counted and len(by_channel) > 1)
            for subject, found in by_channel.items()
        ]


def _measurement(subject: str, losses: Sequence[Loss], *, is_counted: bool) -> Measurement:
    if subject == "recording" and is_counted:
        count = 0
    else:
        count = sum(1 if loss.num_messages is None else loss.num_messages for loss in losses)
    told = [loss.sentence for loss in losses[:_SHOWN]]
    more = [f"{len(losses) - _SHOWN} more places"] if len(losses) > _SHOWN else []
    return Measurement(subject, float(count), "; ".join(told + more))
