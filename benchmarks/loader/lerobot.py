"""LeRobot's dataset of the same frames, made and read by LeRobot itself; and torchcodec on its films, without LeRobot around it.

Runs in LeRobot's own environment; nothing of bagmill here.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.loader.asked import AHEAD, Load, answers, load_timelines, loader_answers
from benchmarks.loader.cases import ACTION, LEFT, NUM_JOINTS, RATE_HZ, RIGHT, STATE, Case, Timelines
from benchmarks.standing import Answers

KEYS: Final = {
    LEFT: "observation.images.left",
    RIGHT: "observation.images.right",
    STATE: "observation.state",
    ACTION: "action",
}
_REPOSITORY: Final = "bench/bench"
_LEAST_PSNR_DB: Final = 20.0
"""Below, it is another frame."""


def prepare_writing(folder: str) -> Callable[[], dict[str, Any]]:
    """Make the dataset from the PNG files, with LeRobot's defaults: AV1, g=2, crf=30."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset  # type: ignore[import-not-found] # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    stores = Path(folder)
    shape = np.asarray(Image.open(stores / "png" / "000" / LEFT / "000000.png")).shape
    camera = {"dtype": "video", "shape": shape, "names": ["height", "width", "channels"]}
    vector = {"dtype": "float32", "shape": (NUM_JOINTS,), "names": None}
    features = {KEYS[LEFT]: camera, KEYS[RIGHT]: camera, KEYS[STATE]: vector, KEYS[ACTION]: vector}

    def run() -> dict[str, Any]:
        dataset = LeRobotDataset.create(
            _REPOSITORY,
            fps=RATE_HZ,
            features=features,
            root=stores / "lerobot",
            use_videos=True,
            image_writer_threads=4,
        )
        num_ticks = load_timelines(stores).num_ticks.tolist()
        for episode, length in enumerate(num_ticks):
            of_episode = stores / "png" / f"{episode:03d}"
            signals = {name: np.load(of_episode / f"{name}.npy") for name in (STATE, ACTION)}
            for tick in range(length):
                frame: dict[str, Any] = {KEYS[name]: values[tick] for name, values in signals.items()}
                for name in (LEFT, RIGHT):
                    with Image.open(of_episode / name / f"{tick:06d}.png") as image:
                        frame[KEYS[name]] = np.asarray(image)
                dataset.add_frame({**frame, "task": "bench"})
            dataset.save_episode()
        dataset.finalize()
        return {"num_frames": 2 * sum(num_ticks)}

    return run


def prepare_loader(folder: str, backend: Literal["torchcodec", "pyav"]) -> Answers:
    """The `DataLoader` of torch over `LeRobotDataset`, as LeRobot's training does it."""
    import torch  # noqa: PLC0415

    stores = Path(folder)

    def open_case(case: Case, num_workers: int, seed: int) -> tuple[Iterator[object], int]:
        samples = load_timelines(stores).draw(seed=seed, batch_size=case.batch_size)
        loader: Any = torch.utils.data.DataLoader(
            open_dataset(stores, case, backend),
            batch_sampler=map(np.ndarray.tolist, samples),
            num_workers=num_workers,
        )
        return iter(loader), AHEAD * num_workers

    return loader_answers(stores, open_case)


def prepare_films(folder: str, num_threads: int, is_shared: bool) -> Answers:
    """The `VideoDecoder` of torchcodec, opened once and kept, as LeRobot keeps it; frames are neither stacked nor made float.

    Args:
        folder: Of all stores.
        num_threads: In all.
        is_shared: One decoder with so many threads; else so many decoders with one thread each.
    """
    stores = Path(folder)
    timelines = load_timelines(stores)
    pool = ThreadPoolExecutor(1 if is_shared else num_threads)

    def open_case(case: Case) -> Load:
        films = _Films(stores, timelines, case, num_threads=num_threads if is_shared else 1)
        _check(films, stores, timelines)

        def load(samples: NDArray[np.int64]) -> Mapping[str, Any]:
            jobs = list(itertools.product(case.cameras, samples.tolist()))
            frames = list(pool.map(films.window, jobs))
            return {camera: frames[n * len(samples) : (n + 1) * len(samples)] for n, camera in enumerate(case.cameras)}

        return load

    return answers(stores, open_case)


def open_dataset(folder: Path, case: Case, backend: str, *, kept: Sequence[str] | None = None) -> Any:
    """A case's samples as LeRobot gives them.

    Args:
        folder: Of all stores.
        case: What a sample is.
        backend: That decodes.
        kept: Cameras; None: those of the case. The others are taken out of the dataset, which decodes all it has.
    """
    from lerobot.datasets import video_utils  # type: ignore[import-not-found] # noqa: PLC0415
    from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: PLC0415
    from torchvision.transforms import v2  # type: ignore[import-not-found] # noqa: PLC0415

    # Workers must not inherit decoders that this process has used: they would share one place in a file.
    video_utils._default_decoder_cache.clear()  # noqa: SLF001 - there is no other way to it
    offsets: dict[str, Sequence[int]] = {KEYS[ACTION]: range(case.horizon)} if case.has_signals else {}
    if case.offsets:
        offsets |= {KEYS[name]: case.offsets for name in (*case.cameras, *((STATE,) * case.has_signals))}
    deltas = {key: [offset / RATE_HZ for offset in each] for key, each in offsets.items()}
    dataset = LeRobotDataset(
        _REPOSITORY,
        root=folder / "lerobot",
        delta_timestamps=deltas or None,
        image_transforms=None if case.size is None else v2.Resize(case.size),
        video_backend=backend,
    )
    for camera in {LEFT, RIGHT} - {*(case.cameras if kept is None else kept)}:
        del dataset.meta.info["features"][KEYS[camera]]
    return dataset


class _Films:
    """The films of a dataset, each decoder used by one thread."""

    def __init__(self, folder: Path, timelines: Timelines, case: Case, *, num_threads: int) -> None:
        import torch  # noqa: PLC0415
        from lerobot.datasets.lerobot_dataset import LeRobotDatasetMetadata  # noqa: PLC0415
        from torchvision.transforms import v2  # noqa: PLC0415

        torch.set_num_threads(num_threads)
        self._resize: Any = None if case.size is None else v2.Resize(case.size)
        self._case, self._timelines, self._num_threads = case, timelines, num_threads
        meta = LeRobotDatasetMetadata(_REPOSITORY, root=folder / "lerobot")
        self._places: dict[tuple[str, int], tuple[str, int]] = {}
        """Camera and episode → film, and the episode's first frame in it."""
        for camera, episode in itertools.product(case.cameras, range(len(timelines.num_ticks))):
            key = KEYS[camera]
            first = round(meta.episodes[episode][f"videos/{key}/from_timestamp"] * RATE_HZ)
            self._places[camera, episode] = str(meta.root / meta.get_video_file_path(episode, key)), first
        self._local = threading.local()

    def window(self, job: tuple[str, int]) -> Any:
        """The frames of a camera for a sample, (K, 3, H, W) uint8."""
        camera, sample = job
        episode, tick = self._timelines.locate(sample)
        film, first = self._places[camera, episode]
        ticks = self._timelines.ticks(episode, tick, self._case.offsets or (0,))
        frames = self._decoder(film).get_frames_at(indices=[first + each for each in ticks]).data
        # Of torchcodec's own resizing and torchvision's, the latter takes a quarter of the time.
        return frames if self._resize is None else self._resize(frames)

    def _decoder(self, film: str) -> Any:
        from torchcodec.decoders import VideoDecoder  # type: ignore[import-not-found] # noqa: PLC0415

        decoders: dict[str, Any] = self._local.__dict__
        if film not in decoders:
            decoders[film] = VideoDecoder(film, seek_mode="approximate", num_ffmpeg_threads=self._num_threads)
        return decoders[film]


def _check(films: _Films, folder: Path, timelines: Timelines) -> None:
    """That a sample's frame is the one that was put in."""
    from PIL import Image  # noqa: PLC0415

    sample = int(next(timelines.draw(seed=0, batch_size=1))[0])
    episode, tick = timelines.locate(sample)
    found = films.window((LEFT, sample))[-1].numpy().transpose(1, 2, 0)
    with Image.open(folder / "png" / f"{episode:03d}" / LEFT / f"{tick:06d}.png") as image:
        stored = np.asarray(image.resize((found.shape[1], found.shape[0])), np.float64)
    psnr_db = 10 * np.log10(255**2 / max(float(np.mean((stored - found) ** 2)), 1e-9))
    if psnr_db < _LEAST_PSNR_DB:
        raise AssertionError(f"{psnr_db:.1f} dB: episode {episode}, tick {tick} is another frame in LeRobot's film")


def describe(folder: str) -> Callable[[], dict[str, Any]]:
    """What the environment has: versions, and whether torchcodec can be loaded."""

    def run() -> dict[str, Any]:
        from importlib.metadata import version  # noqa: PLC0415

        found = {name: version(name) for name in ("lerobot", "torch", "torchvision", "torchcodec", "av")}
        try:
            import torchcodec  # type: ignore[import-not-found] # noqa: F401, PLC0415
        except (ImportError, RuntimeError, OSError) as err:
            found["torchcodec_error"] = " ".join(str(err).split())[:200]
        return {"versions": json.loads(json.dumps(found)), "folder": folder}

    return run
