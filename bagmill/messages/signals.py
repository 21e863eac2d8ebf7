"""One field of a channel's messages → numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages.definitions import ros_definitions
from bagmill.messages.dynamic import message_decoder
from bagmill.messages.field_path import Selector, follow, parse_field_path
from bagmill.messages.foreign import guarded, reading_schema
from bagmill.messages.joint_state import JointOrder
from bagmill.messages.numeric import numbers_of
from bagmill.messages.parallel import follow_named
from bagmill.messages.ros_layout import ros_layout
from bagmill.messages.signal_layout import SignalLayout
from bagmill.recordings.records import Buffer, Channel


def signal_decoder(
    channel: Channel, field: str, *, names: tuple[str, ...] = ()
) -> Callable[[Buffer], NDArray[np.float64]]:
    """Payload → the numbers at a path.

    Args:
        channel: Any that `message_decoder` can read.
        field: `position`, `position[3]`, `data[0:7]`, `motors[:].q`, `transforms[child_frame_id=tool].transform`.
        names: Joints in the order wanted, for messages that name theirs and have one number a joint at `field`; empty:
            the numbers as they stand in the message.

    Returns:
        A decoder that may be called from several threads at once: float64 (D,), no view of the payload. How many
        numbers came before is not remembered: the caller compares. It raises DecodeError where the payload is damaged,
        lacks the field; NotInMessageError where it is too short for what the path picks, or lacks a joint or element.

    Raises:
        DecodeError: The path is none, or the channel's messages cannot be decoded.
    """
    pick = _picker(channel, field, names)
    decode_message = message_decoder(channel)
    return guarded(lambda data: pick(decode_message(data)), channel)


def signal_layout_finder(
    channel: Channel, field: str, *, names: tuple[str, ...] = ()
) -> Callable[[Buffer], SignalLayout | None] | None:
    """Payload → where its signal stands, to read other messages of the channel by, many at a time.

    Args:
        channel: As for `signal_decoder`.
        field: Likewise.
        names: Likewise.

    Returns:
        A finder for payloads that `signal_decoder` accepts, and only for those; it gives None where they hold what has no
        fixed place. None instead of a finder where no message of the channel has a layout (JSON, protobuf).

    Raises:
        DecodeError: The path is none, or the channel's definition cannot be used.
    """
    if channel.message_encoding not in ("cdr", "ros1"):
        return None
    pick = _picker(channel, field, names)
    store = ros_definitions(channel)
    selectors = [step for step in parse_field_path(field).steps if isinstance(step, Selector)]
    wanted = [text for selector in selectors for _, text in selector.conditions]
    if any(map(_is_number, (*wanted, *names))):
        return None  # a layout has places where a message has numbers, so that nothing can be chosen by them

    def find(data: Buffer) -> SignalLayout | None:
        try:
            layout = ros_layout(data, store, channel.schema_name, message_encoding=channel.message_encoding)
        except DecodeError:
            return None
        # Picking from a message of places gives the places of what is picked, by whatever rule.
        places = pick(layout.message).astype(np.int64)
        return SignalLayout.of(data, layout, places, is_text_fixed=bool(names or selectors))

    return find


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit() or text in ("true", "false")


def _picker(channel: Channel, field: str, names: tuple[str, ...]) -> Callable[[Any], NDArray[np.float64]]:
    """Decoded message → the numbers at a path, in the order of `names` where there are any."""
    with reading_schema(channel):
        path = parse_field_path(field)
    if not names:
        return lambda message: numbers_of(follow(message, path))
    order = JointOrder(names, field=field)

    def pick(message: Any) -> NDArray[np.float64]:
        value, found = follow_named(message, path)
        return order.apply(numbers_of(value), found=found)

    return pick
