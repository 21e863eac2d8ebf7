"""Which joints turn without an end, as a robot's description in the recording says.

Source: URDF, `<joint type="continuous">` (wiki.ros.org/urdf/XML/joint).
"""

from __future__ import annotations

import re

from bagmill.streams.index import RecordingIndex

_JOINT = re.compile(r"<joint\s([^>]*)>")
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")


def description_channels(index: RecordingIndex) -> list[int]:
    """Ids of the channels that hold a robot's description."""
    return [
        stream.channel.id
        for stream in index.streams
        if stream.num_messages
        and stream.channel.topic.rstrip("/").endswith("robot_description")
        and stream.channel.schema_name.endswith("/String")
    ]


def continuous_joints(description: str) -> frozenset[str]:
    """Names of the joints that turn without an end.

    >>> continuous_joints('<joint name="wheel" type="continuous"><joint name="elbow" type="revolute">')
    frozenset({'wheel'})
    """
    joints = [dict(_ATTRIBUTE.findall(attributes)) for attributes in _JOINT.findall(description)]
    return frozenset(joint["name"] for joint in joints if joint.get("type") == "continuous" and "name" in joint)
