"""A recording's channels as streams: time stamps plus pointers, and how their clocks run.

Here belongs what one pass over a recording finds out about all of it: stamps by every clock, sizes, inventory, faults,
the content hash, and the file this is kept in. How bytes are framed goes to `recordings`, what a payload holds to
`messages`; which message feeds which instant is decided in `alignment`.
"""

from bagmill.streams.clocks import ClockEstimate, estimate_clock
from bagmill.streams.index import NO_STAMP, RecordingIndex, Stream
from bagmill.streams.index_file import load_index, save_index
from bagmill.streams.picture_sizes import mixed_pictures, picture_text
from bagmill.streams.restamp import restamped
from bagmill.streams.scan import scan

__all__ = [
    "NO_STAMP",
    "ClockEstimate",
    "RecordingIndex",
    "Stream",
    "estimate_clock",
    "load_index",
    "mixed_pictures",
    "picture_text",
    "restamped",
    "save_index",
    "scan",
]
