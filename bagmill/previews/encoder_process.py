"""The program of the process that encodes films, for an encoder that may stall or crash must not be ours.

A script of its own, run by its path: it imports nothing of bagmill, so that it is there in a tenth of a second. On its input
comes, for each film, an order as one line of JSON and then the frames, packed 4:2:0 planes one after the other. On its
output goes one line of JSON when the film is whole, or cannot be. It ends when its input is closed.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import av
import av.error
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream


def main(orders: BinaryIO, answers: TextIO) -> None:
    """Encode one film after the other."""
    threading.Thread(target=_exit_with_parent, args=(orders.fileno(),), daemon=True).start()

    def answer(*, problem: str | None, remedy: str | None) -> None:
        answers.write(json.dumps({"problem": problem, "remedy": remedy}) + "\n")
        answers.flush()

    while line := orders.readline():
        try:
            _encode(json.loads(line), orders)
        except UnknownCodecError:
            answer(
                problem="this build of FFmpeg has no AV1 encoder (libsvtav1)", remedy="Install PyAV from its own wheel"
            )
            return  # and after every other error: what is left of the film's frames is not the next order
        except (av.error.FFmpegError, OSError) as err:
            answer(problem=f"the film cannot be encoded ({err.strerror})", remedy="Check the disk's space and rights")
            return
        answer(problem=None, remedy=None)


def _encode(order: dict[str, Any], frames: BinaryIO) -> None:
    width, height, num_frames = order["width"], order["height"], order["num_frames"]
    with av.open(order["path"], "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = _add_stream(film, order)
        for tick in range(num_frames):
            data = frames.read(width * height * 3 // 2)
            planes = np.frombuffer(data, np.uint8).reshape(height * 3 // 2, width)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.colorspace, frame.color_range = Colorspace[order["colorspace"]], ColorRange.MPEG
            frame.pts, frame.time_base = tick, Fraction(order["time_base"])
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def _add_stream(film: av.container.OutputContainer, order: dict[str, Any]) -> VideoStream:
    stream = film.add_stream("libsvtav1", rate=Fraction(order["rate"]))
    stream.width, stream.height = order["width"], order["height"]
    stream.pix_fmt = "yuv420p"
    encoder = stream.codec_context
    encoder.time_base = Fraction(order["time_base"])
    encoder.gop_size = order["gop_size"]
    encoder.color_range = ColorRange.MPEG
    encoder.colorspace = Colorspace[order["colorspace"]]
    encoder.color_primaries = ColorPrimaries.BT709
    encoder.color_trc = ColorTrc.BT709
    encoder.options = order["options"]
    encoder.open()
    leave_real_time()
    return stream


def leave_real_time() -> None:
    """Schedule every thread of this process as others are.

    SVT-AV1 puts whoever opens it as root at the highest real-time priority (`pthread_setschedparam`, SCHED_FIFO, 99). All
    that is started afterwards inherits that, and what waits in a loop there takes the cores from everything else.
    """
    for thread in Path("/proc/self/task").glob("*"):
        with suppress(OSError):  # it has just ended
            if os.sched_getscheduler(int(thread.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def _exit_with_parent(descriptor: int) -> None:
    """End this process, in the middle of its work too, when the one that asked for it is gone."""
    hang_up = select.poll()
    hang_up.register(descriptor, 0)  # no events asked for: only that the other end was closed is reported
    hang_up.poll()
    os._exit(0)


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout)
