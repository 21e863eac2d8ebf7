"""One channel's stream while the scan is still at it."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages import ChannelForms, PictureForms, header_stamp_reader, is_image_schema
from bagmill.messages.content import ChannelContent
from bagmill.recordings import Buffer, Channel
from bagmill.recordings.records import Run
from bagmill.streams.index import NO_STAMP, Stream


class GrowingStream:
    """Stamps and sizes in int64 buffers, 32 bytes a message.

    Args:
        channel: Whose messages are to be added.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.num_unreadable = 0
        """Messages whose header stamp could not be read though there should be one."""
        self._forms = PictureForms(channel) if is_image_schema(channel) else ChannelForms(channel)
        self._read_stamp = header_stamp_reader(channel)
        self._form = array("i")
        self._log = array("q")
        self._publish = array("q")
        self._header = array("q")
        self._size = array("q")

    def extend(self, run: Run) -> None:
        """Append messages."""
        self._form.extend(self._forms.take(run.payloads))
        self._log.extend(run.log_times_ns)
        self._publish.extend(run.publish_times_ns)
        self._size.extend(map(len, run.payloads))
        if self._read_stamp is not None:
            for payload in run.payloads:
                self._add_stamp(self._read_stamp, payload)

    def finish(self) -> Stream:
        """The stream as it stands."""
        log_time_ns, publish_time_ns = _int64(self._log), _int64(self._publish)
        header_time_ns = (
            np.full(len(log_time_ns), NO_STAMP, np.int64) if self._read_stamp is None else _int64(self._header)
        )
        contents = tuple(self._forms.contents)
        form = np.array(self._form, dtype=np.int32)
        return Stream(
            channel=self.channel,
            content=_main(contents, form) or ChannelContent("none", problem=self._forms.problem),
            contents=contents or (ChannelContent("none", problem=self._forms.problem),),
            form=form,
            log_time_ns=log_time_ns,
            publish_time_ns=publish_time_ns,
            header_time_ns=header_time_ns,
            size_bytes=_int64(self._size),
        )

    def _add_stamp(self, read_stamp: Callable[[Buffer], int | None], payload: Buffer) -> None:
        try:
            stamp_ns = read_stamp(payload)
            self._header.append(NO_STAMP if stamp_ns is None else stamp_ns)
        except (DecodeError, OverflowError):  # JSON may write a stamp of any size
            self._header.append(NO_STAMP)
            self.num_unreadable += 1


def _int64(values: array[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _main(contents: tuple[ChannelContent, ...], form: NDArray[np.int32]) -> ChannelContent | None:
    """The content that most messages have, of those that hold something; None where there is no message to go by."""
    if not contents:
        return None
    counts = np.bincount(form[form >= 0], minlength=len(contents))
    holds = np.array([content.kind != "none" for content in contents])
    return contents[int(np.argmax(np.where(holds, counts, 0) if holds.any() else counts))]
