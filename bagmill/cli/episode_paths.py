"""What a person means by an episode on the command line → the folders of its versions."""

from __future__ import annotations

from pathlib import Path

from bagmill.dataset import Dataset, asking, load_summary
from bagmill.episodes import is_episode
from bagmill.errors import StorageError

_REMEDY = "Name a `.zarr` folder, or an episode's folder such as `dataset/episodes/trial_7.mcap`"


def find_episodes(path: Path) -> list[Path]:
    """Every published version below a path: the path itself, an episode's folder, or a whole dataset.

    Raises:
        StorageError: There is none.
    """
    path = Path(path)
    if path.suffix == ".zarr":
        # Published or not: what is wrong with one that was named is to be told.
        return [path]
    folders = sorted((path / "episodes").iterdir()) if (path / "episodes").is_dir() else [path]
    found = [
        version for folder in folders if folder.is_dir() for version in sorted(folder.iterdir()) if is_episode(version)
    ]
    if not found:
        problem = "no episode is published here" if path.is_dir() else "there is no such folder"
        raise StorageError(problem, path=path, remedy=_REMEDY)
    return found


def find_episode(path: Path) -> Path:
    """The version a path names, or the one of an episode's folder that was last asked for.

    Raises:
        StorageError: There is none, or the folder is that of several episodes.
    """
    versions = find_episodes(path)
    if len({version.parent for version in versions}) > 1:
        raise StorageError("holds several episodes", path=path, remedy=_REMEDY)
    return max(versions, key=_age)


def dataset_of(version: Path) -> Dataset | None:
    """The dataset that a version lies in; None where it was moved out of one."""
    episodes = version.absolute().parent.parent
    return Dataset(episodes.parent) if episodes.name == "episodes" else None


def _age(version: Path) -> tuple[tuple[int, int, str], int]:
    """Larger is newer: which was asked for later, as the reports say, else when it was published."""
    dataset = dataset_of(version)
    asked = (0, 0, "")
    if dataset is not None:
        try:
            asked = asking(load_summary(dataset, version.absolute().parent.name, version=version.stem))
        except StorageError:
            asked = (0, 0, "")  # its report was lost, the episode was not
    return asked, (version / "zarr.json").stat().st_mtime_ns if is_episode(version) else 0
