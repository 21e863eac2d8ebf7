"""Cameras as they are: what is stored of odd, damaged and mixed pictures, judged by Pillow; and what is said of the rest."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from PIL import Image

from bagmill.dataset import Dataset, make_snapshot
from bagmill.episodes import verify_episode
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.streams import scan
from bagmill.testing import START_NS, picture
from bagmill.testing.containers import write_mcap
from bagmill.testing.messages import SampleMessage, depth_values, image_values
from bagmill.training import EpisodeDataset

END = b"\xff\xd9"
PERIOD_NS = 50_000_000
COMPRESSED, IMAGE = "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image"


def saved(rgb: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, **{"format": "JPEG", "quality": 90, "subsampling": 0, **options})
    return file.getvalue()


def by_pillow(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def camera(values: Iterable[dict[str, Any]], *, topic: str = "/cam", schema: str = COMPRESSED) -> list[SampleMessage]:
    messages = []
    for n, each in enumerate(values):
        stamp_ns = START_NS + n * PERIOD_NS
        messages.append(SampleMessage(topic, schema, each, stamp_ns + 1_000_000, header_ns=stamp_ns))
    return messages


def files(contents: Iterable[bytes]) -> list[SampleMessage]:
    return camera({"format": "jpeg", "data": content} for content in contents)


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a recording."""

    outcome: IngestOutcome
    dataset: Dataset

    @property
    def path(self) -> Path:
        assert self.outcome.refusal is None, self.outcome.refusal.reason
        return self.dataset.episode_path("run.mcap", str(self.outcome.report.version))

    @property
    def group(self) -> Any:
        return zarr.open_group(self.path, mode="r")

    def note(self, check: str, subject: str) -> str:
        found = next(each for each in self.outcome.report.checks if each.name == check)
        return next(each.note for each in found.measurements if each.subject == subject)


Make = Callable[..., Made]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(messages: Sequence[SampleMessage], features: dict[str, Any], **settings: Any) -> Made:
        recording = write_mcap(tmp_path / "run.mcap", messages)
        profile = {"name": "p", "rate_hz": 20, "features": features, "preview": {"enabled": False}, **settings}
        request = IngestRequest("run.mcap", recording, tmp_path / "data", parse_profile(profile), num_threads=1)
        return Made(ingest(request), Dataset(tmp_path / "data"))

    return make


CAMERA = {"images/cam": {"channel": "/cam"}}
KEPT: dict[str, Callable[[bytes], bytes]] = {
    "as it should be": lambda file: file,
    "bytes before the end": lambda file: file[:-2] + b"\x12\x34\x56" * 9 + END,
    "lost blocks": lambda file: file[: int(len(file) * 0.7)] + END,
    "0xFF behind": lambda file: file + b"\xff" * 40,
    "a line's end behind": lambda file: file + b"\r\n",
    "junk behind": lambda file: file + b"junk\xff\xd8\xff\xc4" * 5,
    "another JPEG behind": lambda file: file + saved(picture("cam_high", 50)),
    "bytes between segments": lambda file: file[:20] + b"\1\2\3\4" + file[20:],
}


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("kind", KEPT)
def test_pictures_that_other_readers_read_are_frames_that_no_reader_of_ours_fails_on(kind: str, every: int, make: Make):
    recorded = [saved(picture("cam_high", n)) for n in range(24)]
    recorded = [KEPT[kind](file) if n % every == every - 1 else file for n, file in enumerate(recorded)]
    made = make(files(recorded), CAMERA)
    frames, is_valid = made.group["images/cam"][:], made.group["valid/images/cam"][:]
    assert is_valid.all()
    assert len(frames) >= 23
    is_told = kind in ("lost blocks", "bytes before the end", "bytes between segments")
    assert ("libjpeg warns of" in made.note("frames_damaged", "images/cam")) == is_told
    for tick, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - by_pillow(recorded[tick])).max() <= 1
    assert verify_episode(made.path).is_whole
    make_snapshot(made.dataset)
    for size in ((48, 64), (24, 32), (12, 16), (6, 8)):
        loader = EpisodeDataset(made.dataset, image_size=size, num_threads=1)
        batch = loader.batch(range(len(loader)))["images/cam"]
        assert batch.shape[-3:] in ((*size, 3), (3, *size))


def test_what_breaks_off_is_an_invalid_tick_that_is_counted_and_explained(make: Make):
    recorded = [saved(picture("cam_high", n)) for n in range(40)]
    lacks_end = recorded[9][:-2]
    messages = files(
        [*recorded[:9], lacks_end, recorded[10][: len(recorded[10]) // 2], b"\xff\xd8\xff no", *recorded[12:]]
    )
    made = make(messages, CAMERA)
    is_valid = made.group["valid/images/cam"][:]
    assert np.flatnonzero(~is_valid).tolist() == [10, 11]
    assert np.array_equal(made.group["images/cam"][9], by_pillow(recorded[9])), "it lacks its end marker only"
    note = made.note("frames_damaged", "images/cam")
    assert "1 message of /cam: a JPEG that breaks off before its end (0.50 s from the start)" in note
    assert "1 message of /cam: a damaged JPEG of 6 bytes" in note
    told = made.group.attrs["features"]["images/cam"]["decode_faults"]
    assert [(fault["num_messages"], fault["first_sequence"]) for fault in told] == [(1, 10), (1, 11)]
    assert verify_episode(made.path).is_whole


def test_a_refusal_says_which_messages_gave_no_value_why_and_what_to_set(make: Make):
    depth = np.tile(np.linspace(1, 2, 40, dtype=np.float32)[:, None, None], (1, 12, 16))
    depth[1::2, 3, 3] = 70
    values = [{"height": 12, "width": 16, "encoding": "32FC1", "step": 64, "data": frame.tobytes()} for frame in depth]
    made = make(camera(values, schema=IMAGE), {"depth/cam": {"channel": "/cam"}})
    refusal = made.outcome.refusal
    assert refusal is not None
    assert "20 messages of /cam: a distance of 70.000 m is beyond the 65.535 m" in refusal.reason
    assert "ticks without a message" not in refusal.reason
    assert refusal.remedy is not None
    assert "Set a larger `scale_m`" in refusal.remedy
    made = make(camera(values, schema=IMAGE), {"depth/cam": {"channel": "/cam", "scale_m": 0.01}})
    assert made.group["depth/cam"][1, 3, 3] == 7000


SMALL = np.full((24, 32, 3), 90, np.uint8)


@pytest.mark.parametrize("encoding", ["jpeg", "png", "rgb8"])
def test_an_odd_first_picture_does_not_condemn_a_channel(encoding: str, make: Make, tmp_path: Path):
    pictures = [SMALL, *(picture("cam_high", n) for n in range(1, 40))]
    pictures[20] = np.full((60, 64, 3), 90, np.uint8)
    schema = IMAGE if encoding == "rgb8" else COMPRESSED
    made = make(camera((image_values(rgb, encoding=encoding) for rgb in pictures), schema=schema), CAMERA)
    assert np.flatnonzero(~made.group["valid/images/cam"][:]).tolist() == [0, 20]
    note = made.note("frames_damaged", "images/cam")
    assert f"expected a picture of 64×48, found 32×24 {encoding} (38 of 40 pictures are 64×48 {encoding}" in note
    assert f"found 64×60 {encoding}" in note
    stream = scan(tmp_path / "run.mcap").streams[0]
    assert (stream.content.height, stream.content.width) == (48, 64)
    assert [(each.height, each.width) for each in stream.contents] == [(24, 32), (48, 64), (60, 64)]
    assert stream.form.tolist() == [0, *[1] * 19, 2, *[1] * 19]


def test_a_camera_that_changes_its_size_for_good_is_refused_with_sizes_and_counts(make: Make):
    pictures = [SMALL if n >= 30 else picture("cam_high", n) for n in range(40)]
    made = make(camera(image_values(rgb, encoding="jpeg") for rgb in pictures), CAMERA)
    refusal = made.outcome.refusal
    assert refusal is not None
    assert "30 of 40 pictures are 64×48 jpeg, 10 are 32×24 jpeg" in refusal.reason
    assert "split this one where it changes" in str(refusal.remedy)


def test_pictures_that_cannot_be_read_at_the_start_do_not_condemn_a_channel(make: Make):
    recorded = [saved(picture("cam_high", n)) for n in range(300)]
    made = make(files([*[b"not yet"] * 20, *recorded[20:]]), CAMERA)
    assert np.flatnonzero(~made.group["valid/images/cam"][:]).tolist() == list(range(20))
    assert "20 messages of /cam: 7 bytes of format 'jpeg' that are neither" in made.note("frames_damaged", "images/cam")


def test_a_camera_of_jpegs_with_a_few_other_pictures(make: Make):
    recorded = [saved(picture("cam_high", n), format="PNG" if n == 5 else "JPEG") for n in range(40)]
    made = make(files(recorded), CAMERA)
    assert np.flatnonzero(~made.group["valid/images/cam"][:]).tolist() == [5]
    assert "expected a picture of 64×48 jpeg, found 64×48 png" in made.note("frames_damaged", "images/cam")


def test_depth_is_exact_whatever_its_camera_writes_besides(make: Make):
    depth = [np.arange(n, n + 12 * 16, dtype=np.uint16).reshape(12, 16) for n in range(20)]
    made = make(camera(map(depth_values, depth), schema=IMAGE), {"depth/cam": {"channel": "/cam"}})
    assert np.array_equal(made.group["depth/cam"][:], depth[: made.group["time"].shape[0]])
