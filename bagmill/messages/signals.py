"""One field of a channel's messages → numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bagmill.messages.dynamic import message_decoder
from bagmill.messages.field_path import follow, parse_field_path
from bagmill.messages.foreign import guarded, reading_schema
from bagmill.messages.joint_state import JointOrder, joint_names
from bagmill.messages.numeric import numbers_of
from bagmill.recordings.records import Buffer, Channel


def signal_decoder(
    channel: Channel, field: str, *, names: tuple[str, ...] = ()
) -> Callable[[Buffer], NDArray[np.float64]]:
    """Payload → the numbers at a path.

    Args:
        channel: Any that `message_decoder` can read.
        field: `position`, `position[3]`, `data[0:7]`, `pose.position`, `transforms[0].transform.translation`.
        names: Joints in the order wanted, for messages that name theirs and have one number a joint at `field`; empty:
            the numbers as they stand in the message.

    Returns:
        A decoder that may be called from several threads at once: float64 (D,), no view of the payload. How many
        numbers came before is not remembered: the caller compares. It raises DecodeError where the payload is damaged,
        lacks the field, is too short for what the path picks, or lacks a joint.

    Raises:
        DecodeError: The path is none, or the channel's messages cannot be decoded.
    """
    with reading_schema(channel):
        path = parse_field_path(field)
    decode_message = message_decoder(channel)

    def decode(data: Buffer) -> NDArray[np.float64]:
        return numbers_of(follow(decode_message(data), path))

    if not names:
        return guarded(decode, channel)
    order = JointOrder(names, field=field)

    def decode_joints(data: Buffer) -> NDArray[np.float64]:
        message = decode_message(data)
        return order.apply(numbers_of(follow(message, path)), found=joint_names(message))

    return guarded(decode_joints, channel)
