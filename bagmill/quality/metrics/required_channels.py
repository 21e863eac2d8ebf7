"""Messages on the channels that a profile needs."""

from __future__ import annotations

from difflib import get_close_matches

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage

_SHOWN = 4


class RequiredChannels:
    """Messages on every channel that a feature is made from; those of optional features are not judged."""

    name = "required_channels"
    stage: Stage = "recording"
    unit = "messages"
    direction: Direction = "higher"
    threshold: float | None = 1.0
    severity: Severity = "error"
    description = (
        "Messages on each channel that the profile makes a feature from. A failure means that a sensor was not "
        "recorded, or that its channel is called otherwise than the profile says."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One count a channel."""
        features: dict[str, list[str]] = {}
        required: set[str] = set()
        for name, spec in evidence.profile.features.items():
            for topic in spec.channels:
                features.setdefault(topic, []).append(name)
                if spec.required:
                    required.add(topic)
        return [
            Measurement(
                topic,
                float(sum(stream.num_messages for stream in evidence.index.streams_of(topic))),
                f"for {', '.join(names)}"
                + ("" if topic in required else " (optional)")
                + _what_is_there(topic, evidence),
                is_judged=topic in required,
            )
            for topic, names in features.items()
        ]


def _what_is_there(topic: str, evidence: RecordingEvidence) -> str:
    """What the recording has where a channel is wanted in vain."""
    if any(stream.num_messages for stream in evidence.index.streams_of(topic)):
        return ""
    if evidence.index.streams_of(topic):
        return "; the channel is there, and has no messages"
    topics = sorted({stream.channel.topic for stream in evidence.index.streams if stream.num_messages})
    alike = get_close_matches(topic, topics, n=_SHOWN) or topics[:_SHOWN]
    return f"; no such channel, there is {', '.join(alike)}" + (" and others" if len(topics) > len(alike) else "")
