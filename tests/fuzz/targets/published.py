"""A dataset's own files, damaged where they lie: metadata and shards of episodes, reports, snapshots, names, caches."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from bagmill.dataset import Dataset, list_quarantine, load_report, load_snapshot, make_snapshot
from bagmill.dataset.snapshot_names import resolve_name
from bagmill.episodes import Episode, verify_episode
from bagmill.errors import BagmillError
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.streams.index_file import load_index
from bagmill.testing import foreign_file, healthy, small_profile
from tests.fuzz.seeds import TINY
from tests.fuzz.target import Target, Try

_JSON = (
    b"null",
    b"-1",
    b"1e308",
    b'"',
    b"{}",
    b"[]",
    b"[" * 50,
    b"true",
    b"0",
    b"9" * 30,
    b"zarr.json",
    b"../..",
    b"\xff",
)
_GOOD, _BAD = "good.mcap", "bad.mcap"


@cache
def _dataset() -> Dataset:
    """A dataset of one episode and one refusal; it lies there until the process ends."""
    place = Path(tempfile.mkdtemp(prefix="bagmill-fuzz-dataset-"))
    profile = parse_profile(small_profile() | {"preview": {"enabled": False}})
    for name, build in ((_GOOD, lambda path: healthy(path, settings=TINY)), (_BAD, foreign_file)):
        build(place / name)
        ingest(IngestRequest(name, place / name, place / "dataset", profile, until="episode"))
    dataset = Dataset(place / "dataset")
    make_snapshot(dataset)
    return dataset


def _version() -> str:
    return _dataset().published(_GOOD)[0]


def _episode() -> Path:
    return _dataset().episode_path(_GOOD, _version())


def _read_episode(path: Path) -> None:
    episode = Episode.open(path)
    for name, info in episode.features.items():
        if info.kind == "signal":
            episode.signal(name)
        else:
            episode.frames(name, [0])


def _in_place(find: Callable[[], Path], use: Callable[[Dataset], object]) -> Try:
    """Damage one file of a copy of the dataset, then use the copy; where the child is ended, its copy goes with its folder."""

    def attempt(data: bytes, place: Path) -> object:
        made = place / "dataset"
        shutil.copytree(_dataset().path, made, copy_function=_link)
        damaged = made / find().relative_to(_dataset().path)
        damaged.unlink()
        damaged.write_bytes(data)
        return use(Dataset(made))

    return attempt


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(source)


def _verify(dataset: Dataset) -> object:
    path = dataset.episode_path(_GOOD, _version())
    report = verify_episode(path)
    with suppress(BagmillError):
        _read_episode(path)
    return report


def _target(
    name: str, find: Callable[[], Path], use: Callable[[Dataset], object], tokens: Sequence[bytes] = _JSON
) -> Target:
    return Target(name, _in_place(find, use), lambda: [find().read_bytes()], tokens, weight=0.1)


def _shard() -> Path:
    return max((path for path in _episode().rglob("c/*") if path.is_file()), key=lambda path: path.stat().st_size)


def _one(pattern: str) -> Callable[[], Path]:
    return lambda: next(path for path in sorted(_dataset().path.glob(pattern)) if path.is_file())


PUBLISHED = (
    _target("zarr_json", lambda: _episode() / "zarr.json", _verify),
    _target("shard", _shard, _verify, (b"\xff" * 16, b"\xff\xd8", b"\0" * 16)),
    _target(
        "report", lambda: _dataset().report_path(_GOOD, _version()), lambda d: load_report(d, _GOOD, version=_version())
    ),
    _target("quarantine", lambda: _dataset().quarantine_path(_BAD), list_quarantine),
    _target("snapshot", _one("snapshots/*.parquet"), load_snapshot, (b"PAR1", b"\xff" * 8)),
    _target("snapshot_name", _one("snapshots/latest*"), lambda d: resolve_name(d, "latest"), (b"..", b"/", b"\n")),
    _target(
        "scan_index",
        lambda: _dataset().scan_path(_GOOD),
        lambda d: load_index(d.scan_path(_GOOD)),
        (b"PK\x03\x04", b"NUMPY"),
    ),
)
