"""The film is judged by PyAV's decoder (dav1d) and by its boxes."""

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.previews import PreviewInfo, write_preview
from tests.processes import is_alive, living_children

MakeEpisode = Callable[..., Episode]
CAMERAS = {"images/left": (48, 64), "images/right": (48, 64), "depth/left": (48, 64)}


def _write(episode: Episode, path: Path, *, rate_hz: Fraction = Fraction(30), **options: object) -> PreviewInfo:
    info = write_preview(episode, path, **{"height": 48, "crf": 30, "rate_hz": rate_hz, **options})
    assert info is not None
    return info


def _frames(path: Path) -> tuple[list[np.ndarray], list[Fraction]]:
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [frame.pts * frame.time_base for frame in frames]


def _boxes(path: Path) -> list[str]:
    data, names, at = path.read_bytes(), [], 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        names.append(name.decode())
        at += size
    return names


def test_it_is_an_av1_film_for_browsers(make_episode: MakeEpisode, tmp_path: Path):
    path = tmp_path / "new" / "film.mp4"

    info = _write(make_episode(40, CAMERAS), path)

    assert (info.width, info.height, info.num_frames) == (192, 48, 40)
    assert info.size_bytes == path.stat().st_size
    assert info.features == ("images/left", "images/right", "depth/left")
    with av.open(str(path)) as film:
        (stream,) = film.streams
        assert stream.codec.canonical_name == "av1"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (192, 48)
        assert stream.average_rate == 30
        assert stream.frames == 40
        assert stream.duration * stream.time_base == Fraction(40, 30)
        # ISO/IEC 23091-2: 1 is BT.709 for primaries, transfer and matrix; FFmpeg's range 1 is limited
        context = stream.codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
    names = _boxes(path)
    assert names[0] == "ftyp"
    assert names.index("moov") < names.index("mdat"), "can be played while it loads"
    assert b"av01" in path.read_bytes()
    assert [file.name for file in path.parent.iterdir()] == ["film.mp4"]


def test_every_tick_is_one_frame_in_its_own_colours(make_episode: MakeEpisode, tmp_path: Path):
    episode = make_episode(32, CAMERAS, invalid={"images/right": (7, 8)})

    _write(episode, tmp_path / "film.mp4")

    frames, times = _frames(tmp_path / "film.mp4")
    assert len(frames) == 32
    assert times == [Fraction(n, 30) for n in range(32)]
    for tick, frame in enumerate(frames):
        np.testing.assert_allclose(frame[8:40, 8:24].mean(axis=(0, 1)), (200, 30, 30), atol=6)
        np.testing.assert_allclose(frame[8:40, 40:56].mean(), 20 + 7 * tick, atol=6)
        right = frame[:, 64:128]
        is_hatched = np.ptp(right[..., 0].astype(int) - right[..., 1]) < 60
        assert is_hatched == (tick in (7, 8)), "never the last frame for one that is missing"


@pytest.mark.parametrize(
    "rate_hz",
    [Fraction(30_000, 1001), Fraction(1, 10), Fraction("12.5"), Fraction(240), Fraction(1000), Fraction(100_000)],
)
def test_times_are_those_of_the_ticks_at_any_rate(make_episode: MakeEpisode, tmp_path: Path, rate_hz: Fraction):
    _write(make_episode(20, rate_hz=rate_hz), tmp_path / "film.mp4", rate_hz=rate_hz)

    _, times = _frames(tmp_path / "film.mp4")

    assert times == [n / rate_hz for n in range(20)]


def test_a_rate_that_no_32_bit_fraction_says_is_rounded(make_episode: MakeEpisode, tmp_path: Path):
    rate_hz = Fraction("29.9712345678901")

    info = _write(make_episode(20, rate_hz=rate_hz), tmp_path / "film.mp4", rate_hz=rate_hz)

    assert float(info.rate_hz) == pytest.approx(float(rate_hz), rel=1e-8)
    _, times = _frames(tmp_path / "film.mp4")
    np.testing.assert_allclose([float(time) for time in times], [n / float(rate_hz) for n in range(20)], rtol=1e-6)


@pytest.mark.parametrize(("num_ticks", "height"), [(1, 48), (3, 16), (2, 47)])
def test_short_and_tiny(make_episode: MakeEpisode, tmp_path: Path, num_ticks: int, height: int):
    episode = make_episode(num_ticks, {"images/strip": (60, 20)})

    info = _write(episode, tmp_path / "film.mp4", height=height)

    frames, _ = _frames(tmp_path / "film.mp4")
    assert len(frames) == num_ticks
    assert frames[0].shape == (info.height, info.width, 3)


def test_lower_crf_is_larger(make_episode: MakeEpisode, tmp_path: Path):
    episode = make_episode(20, CAMERAS)

    fine, coarse = (_write(episode, tmp_path / "film.mp4", crf=crf).size_bytes for crf in (10, 60))

    assert fine > 1.2 * coarse


def test_the_number_of_threads_does_not_change_the_film(make_episode: MakeEpisode, tmp_path: Path):
    episode = make_episode(40, CAMERAS)

    films = []
    for num_threads in (1, 3):
        _write(episode, tmp_path / "film.mp4", num_threads=num_threads)
        films.append((tmp_path / "film.mp4").read_bytes())

    assert films[0] == films[1]


def test_progress_counts_ticks(make_episode: MakeEpisode, tmp_path: Path):
    calls: list[tuple[int, int]] = []

    _write(make_episode(5), tmp_path / "film.mp4", progress=lambda done, total: calls.append((done, total)))

    assert calls == [(n, 5) for n in range(1, 6)]


def test_without_a_camera_there_is_no_film(make_episode: MakeEpisode, tmp_path: Path):
    episode = make_episode(5, {}, signals={"state": np.zeros((5, 2), np.float32)})

    assert write_preview(episode, tmp_path / "film.mp4", height=48, crf=30, rate_hz=Fraction(30)) is None
    assert not (tmp_path / "film.mp4").exists()


def _encoder_processes() -> list[int]:
    return living_children(os.getpid(), program="encoder_process.py")


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL], ids=["stalls", "is killed"])
@pytest.mark.parametrize("at", [3, 19], ids=["among the frames", "before the last"])
def test_an_encoder_that_fails_once_is_replaced(
    make_episode: MakeEpisode, tmp_path: Path, end: signal.Signals, at: int
):
    path = tmp_path / "film.mp4"
    ended: list[int] = []

    def end_one(done: int, _total: int) -> None:
        if done == at and not ended:
            ended.extend(_encoder_processes())
            for pid in ended:
                os.kill(pid, end)

    # One that stalls is waited for as long as this, and a new one has to begin within it on a machine that is busy.
    info = _write(make_episode(20), path, progress=end_one, patience_s=6 if end == signal.SIGSTOP else 60)

    assert ended
    assert not set(ended) & set(_encoder_processes())
    assert info.num_frames == len(_frames(path)[0]) == 20
    assert [file.name for file in tmp_path.iterdir() if file.suffix in {".mp4", ".partial"}] == ["film.mp4"]


def test_an_encoder_that_fails_twice_is_told_of(make_episode: MakeEpisode, tmp_path: Path):
    path = tmp_path / "films" / "film.mp4"

    def stop(done: int, _total: int) -> None:
        for pid in _encoder_processes():
            os.kill(pid, signal.SIGSTOP)

    with pytest.raises(StorageError, match=r"film\.mp4: the AV1 encoder has stalled .*, twice\. Try again") as caught:
        _write(make_episode(5), path, progress=stop, patience_s=1)

    assert caught.value.path == path
    assert list(path.parent.iterdir()) == []


def test_one_encoder_makes_film_after_film(make_episode: MakeEpisode, tmp_path: Path):
    episode = make_episode(5)
    _write(episode, tmp_path / "first.mp4")
    processes = _encoder_processes()

    _write(episode, tmp_path / "second.mp4")

    assert len(processes) == 1
    assert _encoder_processes() == processes
    assert (tmp_path / "first.mp4").read_bytes() == (tmp_path / "second.mp4").read_bytes()


def test_the_encoder_ends_with_a_process_that_is_killed(make_episode: MakeEpisode, tmp_path: Path):
    program = (
        "import sys, time; from fractions import Fraction; from pathlib import Path\n"
        "from bagmill.episodes import Episode; from bagmill.previews import write_preview\n"
        "write_preview(Episode.open(Path(sys.argv[1])), Path(sys.argv[2]), height=48, crf=30, rate_hz=Fraction(30))\n"
        "print('filmed', flush=True); time.sleep(600)\n"
    )
    arguments = [sys.executable, "-c", program, str(make_episode(5).path), str(tmp_path / "film.mp4")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        (encoder,) = (int(pid) for pid in Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split())
        killed.kill()
    deadline = time.monotonic() + 30
    while is_alive(encoder) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(encoder)


def test_a_damaged_frame_leaves_the_earlier_film(make_episode: MakeEpisode, tmp_path: Path):
    film = tmp_path / "films" / "film.mp4"
    film.parent.mkdir()
    film.write_bytes(b"earlier")
    path = make_episode(10).path
    shard = next(file for file in (path / "images/left/c").rglob("*") if file.is_file())
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 0xFF
    shard.write_bytes(data)

    with pytest.raises(StorageError):
        _write(Episode.open(path), film)

    assert film.read_bytes() == b"earlier"
    assert [file.name for file in film.parent.iterdir()] == ["film.mp4"]


def test_a_folder_that_cannot_be_written(make_episode: MakeEpisode, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageError, match=r"film\.mp4: .*Check the disk") as caught:
        _write(make_episode(3), tmp_path / "file" / "film.mp4")

    assert caught.value.path == tmp_path / "file" / "film.mp4"


def test_the_encoder_is_silent(make_episode: MakeEpisode, tmp_path: Path):
    program = (
        "import sys; from fractions import Fraction; from pathlib import Path\n"
        "from bagmill.episodes import Episode; from bagmill.previews import write_preview\n"
        "write_preview(Episode.open(Path(sys.argv[1])), Path(sys.argv[2]), height=48, crf=30, rate_hz=Fraction(30))\n"
    )
    arguments = [sys.executable, "-c", program, str(make_episode(5).path), str(tmp_path / "film.mp4")]

    ran = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])

    assert (ran.stdout, ran.stderr) == ("", "")


def test_the_encoder_takes_no_priority_over_others(tmp_path: Path):
    """As root, SVT-AV1 makes a real-time process of whoever opens it."""
    program = """if True:
        import os, sys
        from pathlib import Path
        from bagmill.previews import encoder_process
        import av
        order = {"rate": "30", "width": 64, "height": 64, "time_base": "1/30", "gop_size": 30, "colorspace": "ITU709"}
        with av.open(sys.argv[1], "w", format="mp4") as film:
            encoder_process._add_stream(film, order | {"options": {"preset": "12"}})
            print({os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()})
    """
    told = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "x.mp4"], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.splitlines()[-1] == str({os.SCHED_OTHER})
