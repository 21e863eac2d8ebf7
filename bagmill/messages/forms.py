"""Messages of one channel told apart by their form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages.content import ChannelContent
from bagmill.messages.definitions import ros_definitions
from bagmill.messages.describe import describe_message, said_at_once
from bagmill.messages.dynamic import message_decoder
from bagmill.messages.example import example_of, has_naming_numbers
from bagmill.messages.foreign import guarded
from bagmill.messages.ros_form import form_bytes
from bagmill.recordings.records import Buffer, Channel

UNREADABLE: Final = -1
"""The form of a message that cannot be decoded."""
UNTOLD: Final = -2
"""The form of a message that was not looked into: its channel has too many forms, or its messages are too large."""

_MOST_FORMS = 4096
_MOST_EXAMPLE_BYTES = 8 << 20
"""Of all examples together: the index keeps them."""
_MOST_LAYOUTS_PER_SIZE = 8
_MOST_UNREADABLE = 16
"""A channel that begins with this many messages that cannot be decoded is not looked at further."""
_LARGE_BYTES = 1 << 18
"""Messages of more bytes are clouds and maps, none of which is a signal: after the first they are not looked into."""
_BLOCK_BYTES = 1 << 16
_MOST_SIZES = 1024
_OF_NUMBERS = b"0123456789.+-eE"
_MIN_BLOCK = 4


class _Layout(NamedTuple):
    """Messages of one size that agree in the bytes that a form hangs on."""

    places: NDArray[np.int64]
    told: NDArray[np.uint8]
    form: int


class ChannelForms:
    """The forms that the messages of a channel without pictures have, found one after the other.

    A message is decoded only where no message before it was laid out alike.

    Args:
        channel: Whose messages they are.
    """

    def __init__(self, channel: Channel) -> None:
        self.contents: list[ChannelContent] = []
        """By form, in the order of their first appearance."""
        self.problem: str | None = None
        """Why the first message that could not be decoded could not be."""
        self._channel = channel
        self._forms: dict[str, int] = {}
        self._layouts: dict[int, list[_Layout]] = {}
        self._skeleton = _json_skeleton if channel.message_encoding == "json" else None
        self._skeletons: dict[tuple[bytes, ...], int] = {}
        self._num_unreadable = 0
        self._num_example_bytes = 0
        self._tell: Callable[[Buffer], tuple[Any, str]] | None = None
        """Payload → message, and its form as text."""
        self._find_places: Callable[[Buffer], NDArray[np.int64] | None] | None = None
        try:
            decode = message_decoder(channel)
            # What a library's message gives when it is walked over is the library's affair, too.
            self._tell = guarded(lambda payload: _told(decode(payload)), channel)
            self._find_places = _place_finder(channel)
        except DecodeError as err:
            self.problem = said_at_once(err)
            self._num_unreadable = _MOST_UNREADABLE

    def take(self, payloads: Sequence[Buffer]) -> list[int]:
        """The form of each of the channel's next messages: a place in `contents`, `UNREADABLE` or `UNTOLD`."""
        if not self.contents and self._num_unreadable >= _MOST_UNREADABLE:
            return [UNREADABLE] * len(payloads)
        size = len(payloads[0]) if payloads else 0
        layouts = self._layouts.get(size)
        if layouts is None or len(payloads) < _MIN_BLOCK or size > _BLOCK_BYTES or set(map(len, payloads)) != {size}:
            return [self._take_one(payload) for payload in payloads]
        rows = np.frombuffer(b"".join(payloads), np.uint8).reshape(len(payloads), size)
        forms = np.full(len(payloads), UNTOLD)
        is_found = np.zeros(len(payloads), np.bool_)
        for layout in layouts:
            fits = (rows.take(layout.places, axis=1) == layout.told).all(axis=1) & ~is_found
            forms[fits] = layout.form
            is_found |= fits
            if is_found.all():
                return forms.tolist()
        for place in np.flatnonzero(~is_found).tolist():
            forms[place] = self._take_one(payloads[place])
        return forms.tolist()

    def _take_one(self, payload: Buffer) -> int:
        size = len(payload)
        layouts = self._layouts.get(size, ())
        if layouts:
            row = np.frombuffer(payload, np.uint8)
            for layout in layouts:
                if np.array_equal(row[layout.places], layout.told):
                    return layout.form
        if self._skeletons and self._skeleton is not None:
            skeleton = self._skeleton(payload)
            form = None if skeleton is None else self._skeletons.get(skeleton)
            if form is not None:
                return form
        is_full = len(self.contents) >= _MOST_FORMS or self._num_example_bytes >= _MOST_EXAMPLE_BYTES
        if is_full or (size > _LARGE_BYTES and self.contents):
            return UNTOLD
        return self._look_into(payload)

    def _look_into(self, payload: Buffer) -> int:
        try:
            form = self._form_of(payload)
        except DecodeError as err:
            self.problem = self.problem or said_at_once(err)
            self._num_unreadable += 1
            return UNREADABLE
        self._remember(payload, form)
        return form

    def _remember(self, payload: Buffer, form: int) -> None:
        """Know the messages that are laid out alike without decoding them."""
        if self._skeleton is not None:
            if has_naming_numbers(self.contents[form].example):
                return
            skeleton = self._skeleton(payload)
            if skeleton is not None and len(self._skeletons) < _MOST_SIZES:
                self._skeletons[skeleton] = form
            return
        places = self._find_places(payload) if self._find_places is not None else None
        layouts = self._layouts.setdefault(len(payload), []) if len(self._layouts) < _MOST_SIZES else []
        if places is not None and len(layouts) < _MOST_LAYOUTS_PER_SIZE:
            layouts.append(_Layout(places, np.frombuffer(payload, np.uint8)[places].copy(), form))

    def _form_of(self, payload: Buffer) -> int:
        assert self._tell is not None, "nothing is looked into otherwise"
        message, key = self._tell(payload)
        form = self._forms.get(key)
        return self._enter(key, describe_message(self._channel, message)) if form is None else form

    def _enter(self, key: str, content: ChannelContent) -> int:
        form = self._forms[key] = len(self.contents)
        self._num_example_bytes += len(key)
        self.contents.append(content)
        return form


def _told(message: Any) -> tuple[Any, str]:
    return message, json.dumps(example_of(message), default=str)


def _json_skeleton(data: Buffer) -> tuple[bytes, ...] | None:
    """A JSON text without the digits of its numbers, and all of its texts; None where texts have escapes."""
    whole = bytes(data)
    if b"\\" in whole:
        return None
    return (whole.translate(None, _OF_NUMBERS), *whole.split(b'"')[1::2])


def _place_finder(channel: Channel) -> Callable[[Buffer], NDArray[np.int64] | None] | None:
    encoding = channel.message_encoding
    if encoding not in ("cdr", "ros1"):
        return None
    store = ros_definitions(channel)
    return lambda data: form_bytes(data, store, channel.schema_name, message_encoding=encoding)
