"""Containers to records: MCAP files, ROS 1 bags and rosbag2 folders as channels, messages and faults.

Here belongs how bytes are framed, compressed and checked in a container, and what is wrong with it. What a payload
means goes to `messages`; stamps, hashes and the inventory of a whole recording go to `streams`. No foreign exception
leaves this room: damage is a `Fault` and, where nothing can be read, a `RecordingError`.
"""

from bagmill.recordings.discover import discover
from bagmill.recordings.open import open_recording
from bagmill.recordings.records import Buffer, Channel, Fault, Message, Recording

__all__ = ["Buffer", "Channel", "Fault", "Message", "Recording", "discover", "open_recording"]
