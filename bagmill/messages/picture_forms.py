"""Pictures of one channel told apart by their form: how their pixels are kept, and their size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bagmill.errors import DecodeError
from bagmill.messages.content import ChannelContent
from bagmill.messages.describe import describe_picture, said_at_once
from bagmill.messages.forms import UNREADABLE, UNTOLD
from bagmill.messages.image_schemas import image_decoder
from bagmill.messages.jpeg_layout import UsualJpeg
from bagmill.messages.payload import ImagePayload
from bagmill.recordings.records import Buffer, Channel

_MOST_FORMS = 256


class PictureForms:
    """The forms that a channel's pictures have, found one after the other: of every picture, the header is read.

    Args:
        channel: Whose pictures they are.
    """

    def __init__(self, channel: Channel) -> None:
        self.contents: list[ChannelContent] = []
        """By form, in the order of their first appearance."""
        self.problem: str | None = None
        """Why the first picture that could not be read could not be."""
        self._forms: dict[tuple[str, int, int, str], int] = {}
        self._usual = UsualJpeg(channel)
        self._usual_form = UNREADABLE
        """Of the pictures that are laid out as the example is."""
        self._decode: Callable[[Buffer], ImagePayload] | None = None
        try:
            self._decode = image_decoder(channel)
        except DecodeError as err:
            self.problem = said_at_once(err)

    def take(self, payloads: Sequence[Buffer]) -> list[int]:
        """The form of each of the channel's next pictures: a place in `contents`, `UNREADABLE` or `UNTOLD`."""
        decode = self._decode
        if decode is None:
            return [UNREADABLE] * len(payloads)
        find = self._usual.find
        return [
            self._usual_form if find(payload) is not None else self._look_into(payload, decode) for payload in payloads
        ]

    def _look_into(self, payload: Buffer, decode: Callable[[Buffer], ImagePayload]) -> int:
        try:
            picture = decode(payload)
            content = describe_picture(picture)
        except DecodeError as err:
            self.problem = self.problem or said_at_once(err)
            return UNREADABLE
        key = (picture.encoding, picture.height, picture.width, content.kind)
        form = self._forms.get(key)
        if form is None:
            if len(self.contents) >= _MOST_FORMS:
                return UNTOLD
            form = self._forms[key] = len(self.contents)
            self.contents.append(content)
        if picture.encoding == "jpeg":
            self._usual.learn(payload)
            self._usual_form = form
        return form
