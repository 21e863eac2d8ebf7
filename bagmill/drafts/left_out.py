"""Which of the channels without a feature somebody would miss: cameras, and what the robot was told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from bagmill.drafts.fields import is_joint_state
from bagmill.drafts.naming import is_command
from bagmill.drafts.not_data import why_not_data
from bagmill.messages.image_schemas import is_image_schema
from bagmill.streams.index import RecordingIndex, Stream

_HARMLESS = ("no messages", "the same pictures")


def say_missed(
    left_out: Sequence[tuple[str, str, str]], *, index: RecordingIndex, used: Collection[str]
) -> Iterator[str]:
    """One sentence for every camera and every command that is left out.

    Args:
        left_out: (topic, message type, reason) of every channel, or field of one, without a feature.
        index: The recording's scan.
        used: Topics of which features are made.
    """
    reasons = {topic: reason for topic, _, reason in left_out if not reason.startswith(_HARMLESS)}
    whats = {stream.channel.topic: _what(stream) for stream in index.streams}
    for what in ("camera", "command"):
        for topic, reason in reasons.items():
            # A command of which a field is left out is there all the same.
            if whats.get(topic) == what and (what == "camera" or topic not in used):
                yield f"The {what} {topic} is left out: {reason}."


def _what(stream: Stream) -> str | None:
    channel = stream.channel
    if is_image_schema(channel):
        return "camera"
    if why_not_data(channel.schema_name, channel.topic):
        return None
    return "command" if is_command(channel.topic, of_joints=is_joint_state(channel.schema_name)) else None
