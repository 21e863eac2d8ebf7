"""Names for snapshots: small files that point at a snapshot's id. A name is given once; only `latest` moves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bagmill.dataset.folder import Dataset, names_ending
from bagmill.dataset.json_records import from_json, to_json
from bagmill.dataset.whole_file import read_whole, write_new, write_whole
from bagmill.errors import StorageError

LATEST = "latest"
ID_LENGTH = 20
_SCHEMA = "bagmill-snapshot-name-1"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class _Pointer:
    id: str


def is_snapshot_id(text: str) -> bool:
    """Whether a text is an id by its form, not a name."""
    return _ID.fullmatch(text) is not None


def _is_name(text: str) -> bool:
    # What begins as an id does is a snapshot's own: `<id>.normalisation`.
    return _NAME.fullmatch(text) is not None and not is_snapshot_id(text.split(".", 1)[0])


def check_name(name: str) -> None:
    """Refuse what cannot be a name.

    Raises:
        StorageError: It has other characters, or is an id by its form.
    """
    if not _is_name(name):
        raise StorageError(
            f"{name!r} is no name for a snapshot",
            remedy=f"Use letters, digits, `.`, `_` and `-`, 100 at most; {ID_LENGTH} hexadecimal digits are an id",
        )


def point(dataset: Dataset, name: str, *, snapshot_id: str) -> None:
    """Give a snapshot a name; `latest` is moved, any other is given once.

    Raises:
        StorageError: The name is not one, points elsewhere already, or cannot be written.
    """
    check_name(name)
    path = _path(dataset, name)
    data = to_json(_Pointer(snapshot_id), schema=_SCHEMA)
    if name == LATEST:
        write_whole(path, data)
        return
    if not write_new(path, data) and (found := resolve_name(dataset, name)) != snapshot_id:
        raise StorageError(
            f"the name {name!r} is given to snapshot {found} already",
            path=path,
            remedy=f"Choose another name for {snapshot_id}, or delete this file first",
        )


def resolve_name(dataset: Dataset, name: str) -> str:
    """The id that a name points at.

    Raises:
        StorageError: There is no such name, or its file is damaged.
    """
    check_name(name)
    path = _path(dataset, name)
    if not path.exists():
        known = ", ".join(list_snapshot_names(dataset))
        remedy = f"Known names: {known}" if known else "There is none yet: make one with `bagmill snapshot make`"
        raise StorageError(f"no snapshot is called {name!r}", path=dataset.path, remedy=remedy)
    remedy = "Delete it and name the snapshot again"
    try:
        snapshot_id = from_json(read_whole(path, remedy=remedy), _Pointer, schema=_SCHEMA).id
    except ValueError as err:
        raise StorageError(f"is no snapshot's name: {err}", path=path, remedy=remedy) from err
    if not is_snapshot_id(snapshot_id):
        raise StorageError(f"points at {snapshot_id!r}, which is no snapshot's id", path=path, remedy=remedy)
    return snapshot_id


def resolve_id(dataset: Dataset, name_or_id: str) -> str:
    """The id of a snapshot that is meant by its name or by its id; whether it stands is not looked at.

    Raises:
        StorageError: As `resolve_name`.
    """
    return name_or_id if is_snapshot_id(name_or_id) else resolve_name(dataset, name_or_id)


def list_snapshot_names(dataset: Dataset) -> list[str]:
    """All names given, sorted.

    Raises:
        StorageError: Their folder cannot be listed.
    """
    return [name for name in names_ending(dataset.snapshots_dir, ".json") if _is_name(name)]


def _path(dataset: Dataset, name: str) -> Path:
    return dataset.snapshots_dir / f"{name}.json"
