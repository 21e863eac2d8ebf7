"""Payload bytes → values: stamps, pictures, numbers.

Here belongs what knows a message's schema and serialisation (CDR, ROS 1, protobuf, JSON; sensor_msgs, foxglove).
What knows containers and where a message lies in them is `recordings`; what knows clocks, rates and which message feeds
which tick is `streams` and `alignment`; JPEG and depth as an episode keeps them are `codecs`. What can go wrong with a
payload or a schema is a DecodeError that names the channel, and every decoder may be used from several threads at once.
"""

from bagmill.messages.content import ChannelContent
from bagmill.messages.decode_faults import DecodeFault, DecodeFaults
from bagmill.messages.depth import to_depth
from bagmill.messages.describe import describe
from bagmill.messages.dynamic import MESSAGE_ENCODINGS, message_decoder, num_type_fields
from bagmill.messages.forms import UNREADABLE, UNTOLD, ChannelForms
from bagmill.messages.given_definitions import with_definitions
from bagmill.messages.image_schemas import image_decoder, is_image_schema
from bagmill.messages.jpeg_layout import UsualJpeg
from bagmill.messages.payload import COMPRESSED_ENCODINGS, RAW_ENCODINGS, ImagePayload
from bagmill.messages.picture_forms import PictureForms
from bagmill.messages.pixels import to_rgb
from bagmill.messages.signal_layout import SignalLayout
from bagmill.messages.signals import signal_decoder, signal_layout_finder
from bagmill.messages.stamps import header_stamp_reader

__all__ = [
    "COMPRESSED_ENCODINGS",
    "MESSAGE_ENCODINGS",
    "RAW_ENCODINGS",
    "UNREADABLE",
    "UNTOLD",
    "ChannelContent",
    "ChannelForms",
    "DecodeFault",
    "DecodeFaults",
    "ImagePayload",
    "PictureForms",
    "SignalLayout",
    "UsualJpeg",
    "describe",
    "header_stamp_reader",
    "image_decoder",
    "is_image_schema",
    "message_decoder",
    "num_type_fields",
    "signal_decoder",
    "signal_layout_finder",
    "to_depth",
    "to_rgb",
    "with_definitions",
]
