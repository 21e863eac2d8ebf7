"""Real faults, for a child process to have: functions to call, and a metric that has one by the name of its recording."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def segfault(**_: Any) -> None:
    ctypes.string_at(0)


def abort(**_: Any) -> None:
    os.abort()


def spin(**_: Any) -> None:
    while True:
        pass


def wait(**_: Any) -> None:
    time.sleep(3600)


def recurse(depth: int = 0, **_: Any) -> int:
    return recurse(depth + 1) + 1


def eat_memory(**_: Any) -> None:
    held = []
    while True:
        held.append(np.ones(1 << 22))


def eat_memory_in_c(**_: Any) -> None:
    """As a C++ library does that cannot have what it asks for."""
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def eat_memory_until_it_crashes(**_: Any) -> None:
    """As a C library does that does not look whether it got what it asked for."""
    held = []
    try:
        while True:
            held.append(np.ones(1 << 22))
    except MemoryError:
        ctypes.string_at(0)


def leave(**_: Any) -> None:
    os._exit(3)


def be_killed(**_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(**_: Any) -> None:
    raise KeyError("of ours")


def leave_things_behind(note: str, **_: Any) -> None:
    """Starts a process that would outlive it, makes a temporary file, notes where both are, and crashes."""
    import tempfile

    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    _, name = tempfile.mkstemp()
    Path(note).write_text(f"{other.pid}\n{name}\n", encoding="utf-8")
    segfault()


def come_further(num: int, pause_s: float, *, progress: Any) -> int:
    for done in range(num):
        time.sleep(pause_s)
        progress("work", done, num)
    return num


def stand_still(num: int, pause_s: float, *, progress: Any) -> int:
    for _ in range(num):
        time.sleep(pause_s)
        progress("work", 1, num)
    return num


def work_quietly(num: int, pause_s: float, **_: Any) -> int:
    from bagmill.pulse import pulse

    for _each in range(num):
        time.sleep(pause_s)
        pulse()
    return num


def double(value: int, **_: Any) -> int:
    return 2 * value


def above_a_limit(**_: Any) -> None:
    from bagmill.limits import limits

    limits().check("pixels", 1 << 60, what="a picture's size")


def nesting(**_: Any) -> int:
    from bagmill.limits import limits

    return limits().nesting


def parent(**_: Any) -> int:
    return os.getppid()


def use_all(number: int, **_: Any) -> int:
    """Has every library that runs threads of its own start them."""
    import io
    from concurrent.futures import ThreadPoolExecutor

    import av
    import pyarrow as pa
    import simplejpeg
    import zarr
    import zstandard

    picture = np.random.default_rng(number).integers(0, 255, (96, 128, 3), np.uint8)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: simplejpeg.encode_jpeg(picture), range(8)))) == 1
    assert (picture.reshape(-1, 3).astype(np.float64) @ np.ones((3, 64))).shape == (96 * 128, 64)
    assert pa.compress(pa.array(np.arange(100_000)).buffers()[1], codec="zstd").size
    assert zstandard.ZstdCompressor(threads=2).compress(picture.tobytes())
    group = zarr.create_group(store=zarr.storage.MemoryStore())
    group.create_array("a", data=picture)
    if number % 100:  # the encoder takes a hundred times as long as all the rest
        return number
    from bagmill.previews.encoder_process import leave_real_time

    os.environ["SVT_LOG"] = "1"
    with av.open(io.BytesIO(), "w", format="mp4") as film:
        stream = film.add_stream("libsvtav1", rate=30, options={"preset": "12"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.open()
        leave_real_time()
        film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")))
        film.mux(stream.encode(None))
    return number


FAULTS = {function.__name__: function for function in (segfault, spin, eat_memory, recurse, fail)}

PLUGIN = """
from tests.workers.faults import FAULTS

class Faulty:
    name, stage, unit, direction, threshold, severity = "faulty", "timeline", "faults", "lower", None, "warn"
    description = "Has the fault that the recording is named for."

    def measure(self, evidence):
        for name, fault in FAULTS.items():
            if f"_{name}." in evidence.plan.index.path:
                fault()
        return []

FAULTY = Faulty()
"""


def install_plugin(folder: Path) -> Path:
    """Install a distribution of one metric, which has a fault where a recording is called `…_segfault.mcap`, say.

    Returns:
        What has to be in `sys.path`.
    """
    info = folder / "faulty-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[bagmill.metrics]\nfaulty = faulty:FAULTY\n", encoding="utf-8")
    (folder / "faulty.py").write_text(PLUGIN, encoding="utf-8")
    return folder
