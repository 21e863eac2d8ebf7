"""What a dataset's files name stays in its folder: rows of snapshots, links on the way to an episode or to what is removed.

A dataset may have been made by others. Whatever its tables and reports name becomes a path of this machine or a key of a store,
and a symbolic link in it may lead anywhere. The dataset's folder itself, and `episodes` in it, may be links of the owner's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bagmill.episodes.layout import episode_path
from bagmill.errors import StorageError

_NAMES: Final = ("episode", "version", "path")
_REMEDY: Final = "Do not use it before you know who made it; make the snapshot again from the episodes"
_LINK_REMEDY: Final = "Put what the link leads to in its place, or take the link away"


def check_paths(table: pa.Table, snapshot_id: str, *, path: Path) -> None:
    """Whether every row of a snapshot names an episode of the dataset by the path that its names give.

    Args:
        table: With `episode`, `version` and, where there is one, `path`.
        snapshot_id: Of the snapshot.
        path: Of its file.

    Raises:
        StorageError: A row does not; names the snapshot and the row.
    """
    for name in _NAMES:
        if name in table.column_names and not _is_text(table.schema.field(name).type):
            raise StorageError(f"column {name} of snapshot {snapshot_id} is no text", path=path, remedy=_REMEDY)
    texts = {name: table[name].cast(pa.large_string()) for name in _NAMES if name in table.column_names}
    is_wrong: NDArray[np.bool_] = np.zeros(len(table), np.bool_)
    for column in ("episode", "version"):
        names = texts[column]
        for test in (
            pc.equal(names, ""),
            pc.starts_with(names, "."),
            pc.match_substring(names, "/"),
            pc.match_substring(names, "\0"),
        ):
            is_wrong |= _truths(test, if_null=True)
    if "path" in texts:
        folder, suffix, nothing, slash = (
            pa.scalar(each, pa.large_string()) for each in (*str(episode_path(Path(), "a", "b")).split("/a/b"), "", "/")
        )
        version = pc.binary_join_element_wise(texts["version"], suffix, nothing)
        expected = pc.binary_join_element_wise(folder, texts["episode"], version, slash)
        is_wrong |= ~_truths(pc.equal(texts["path"], expected), if_null=False)
    if is_wrong.any():
        row = int(is_wrong.argmax())
        said = {name: column[row].as_py() for name, column in texts.items()}
        raise StorageError(
            f"row {row} of snapshot {snapshot_id} names what is no episode of this dataset ({_told(said)})",
            path=path,
            remedy=_REMEDY,
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _truths(found: pa.ChunkedArray, *, if_null: bool) -> NDArray[np.bool_]:
    truths: NDArray[np.bool_] = pc.fill_null(found, if_null).to_numpy()
    return truths


def _told(said: dict[str, object]) -> str:
    return ", ".join(f"{name} {str(value)[:200]!r}" for name, value in said.items())


def check_inside(folder: Path, path: Path) -> None:
    """Whether a path leads to a place below a folder once all links on its way are followed; it need not be there.

    Raises:
        StorageError: It leads elsewhere.
    """
    real, inside = os.path.realpath(path), os.path.realpath(folder)
    if not real.startswith(f"{inside.rstrip(os.sep)}{os.sep}"):
        raise StorageError(f"leads out of its dataset by a link, to {real}", path=path, remedy=_LINK_REMEDY)


def check_no_links(folder: Path, paths: Iterable[Path]) -> None:
    """Whether no part of the way from a folder to some paths below it is a link: what is to be removed lies there itself.

    Raises:
        StorageError: One is.
    """
    real = os.path.realpath(folder)
    for path in paths:
        below = os.path.join(real, path.relative_to(folder))  # noqa: PTH118 - as text, beside realpath
        if os.path.realpath(os.path.dirname(below)) != os.path.dirname(below):  # noqa: PTH120
            raise StorageError("is reached through a link, and is not removed", path=path, remedy=_LINK_REMEDY)


class EpisodeFolders(Sequence[str]):
    """The folders of a snapshot's rows; each is looked at for links that lead elsewhere when it is first asked for.

    Args:
        dataset: The dataset's folder.
        paths: By row, below it, as a table has them that `check_paths` has looked through.
    """

    def __init__(self, dataset: Path, paths: Iterable[str]) -> None:
        self._episodes = dataset / "episodes"
        self._folders = [f"{dataset}/{path}" for path in paths]
        self._is_checked = bytearray(len(self._folders))

    def __len__(self) -> int:
        return len(self._folders)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...

    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        """Of a row.

        Raises:
            StorageError: A link in the dataset leads out of it.
        """
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        if not self._is_checked[row]:
            check_inside(self._episodes, Path(self._folders[row]))
            self._is_checked[row] = True
        return self._folders[row]
