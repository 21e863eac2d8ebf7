"""The episode's root metadata: its attributes, and every array's own metadata consolidated, so that one file opens it.

Source: the `consolidated_metadata` member as zarr-python writes it for Zarr v3 (`kind: inline`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bagmill.disk import files_below
from bagmill.episodes import checksums as sums
from bagmill.episodes import layout
from bagmill.episodes.node_metadata import check_array, check_episode, read_json
from bagmill.errors import StorageError

_REMEDY = "Verify the episode, delete it and make it again from its recording"


def write_root_metadata(
    folder: Path, attributes: Mapping[str, Any], *, checksums: Mapping[str, Sequence[str | None]]
) -> None:
    """Write the root `zarr.json` of a folder whose arrays are all there.

    Args:
        folder: The group.
        attributes: Of the group, JSON values; the format's own version and the checksums are added.
        checksums: By array, of its files of chunks; None for a file that it does not have.

    Raises:
        StorageError: Attributes that are no JSON, or the disk does not take it.
    """
    try:
        # Sorted, because the order in which a file system lists its files differs between machines.
        nodes = {
            path.parent.relative_to(folder).as_posix(): json.loads(path.read_bytes())
            for path in files_below(folder)
            if path.name == layout.METADATA_FILE and path.parent != folder
        }
        for node in nodes.values():
            if node["node_type"] == "group":
                # As zarr-python has it: says that a group's own members are listed here, too.
                node["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": {}}
        root = {
            "attributes": {
                layout.FORMAT_ATTRIBUTE: layout.FORMAT_VERSION,
                sums.ATTRIBUTE: sums.to_attribute(checksums),
                **attributes,
            },
            "zarr_format": 3,
            "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": nodes},
            "node_type": "group",
        }
        text = json.dumps(root, indent=2, allow_nan=False, ensure_ascii=False)
        (folder / layout.METADATA_FILE).write_bytes(sums.seal(text.encode()))
    except (TypeError, ValueError) as err:
        raise StorageError(f"attributes that are not JSON ({err})", path=folder) from err
    except OSError as err:
        raise StorageError(f"cannot be written ({err.strerror})", path=folder) from err


def read_root_metadata(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Read an episode's root metadata.

    Args:
        path: The episode's folder.

    Returns:
        Its attributes, and the metadata of every array by name.

    Raises:
        StorageError: There is none, it is damaged, or of a format that this version does not read.
    """
    file = path / layout.METADATA_FILE
    try:
        root = read_json(file)
        attributes = root["attributes"]
        nodes = root["consolidated_metadata"]["metadata"]
        arrays = {name: node for name, node in nodes.items() if node["node_type"] == "array"}
        found = attributes.get(layout.FORMAT_ATTRIBUTE)
    except FileNotFoundError as err:
        raise StorageError(
            "there is no published episode", path=path, remedy="Check the path, or ingest the recording first"
        ) from err
    except OSError as err:
        raise StorageError(f"cannot be read ({err.strerror})", path=file) from err
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise StorageError("the episode's metadata are damaged", path=file, remedy=_REMEDY) from err
    if not isinstance(attributes, dict) or not isinstance(nodes, dict):
        raise StorageError("the episode's metadata are damaged", path=file, remedy=_REMEDY)
    if misnamed := [name for name in arrays if not layout.is_array_name(name)]:
        raise StorageError(
            f"the episode's metadata name an array {misnamed[0]!r}, which would lie elsewhere",
            path=file,
            remedy=_REMEDY,
        )
    if found != layout.FORMAT_VERSION:
        raise StorageError(
            f"expected an episode of format {layout.FORMAT_VERSION}, found {found}",
            path=path,
            remedy="Read it with the version of bagmill that made it, or make it again",
        )
    check_episode(attributes, path=file)
    for name, node in arrays.items():
        check_array(name, node, path=file)
    return attributes, arrays
