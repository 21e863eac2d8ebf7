"""The scan's result as a file: an .npz without pickles, so that stock NumPy opens it."""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.disk import partial_file, sync_folder
from bagmill.errors import StorageError
from bagmill.messages.content import ChannelContent
from bagmill.recordings import Channel, Fault
from bagmill.recordings.losses import Loss, Losses
from bagmill.regular_files import open_regular
from bagmill.streams.index import RecordingIndex, Stream

_FORMAT = "bagmill index 2"
_COLUMNS = ("log_time_ns", "publish_time_ns", "header_time_ns", "size_bytes")
_REMEDY = "Scan the recording again"


def save_index(index: RecordingIndex, path: Path | str) -> None:
    """Write an index; under its name there is the old file or the whole new one, never a part. Folders are made.

    Layout: `description`, JSON as bytes; `schemas`, the channels' definitions end to end; one int64 array for each of log,
    publish and header times and sizes, and one of int32 for the messages' forms, channel after channel.

    Raises:
        StorageError: It cannot be written.
    """
    path = Path(path)
    description = {
        "format": _FORMAT,
        "path": index.path,
        "container": index.container,
        "content_hash": index.content_hash,
        "size_bytes": index.size_bytes,
        "faults": [dataclasses.asdict(fault) for fault in index.faults],
        "losses": dataclasses.asdict(index.losses),
        "streams": [_describe(stream) for stream in index.streams],
    }
    columns = {
        name: np.concatenate([np.empty(0, np.int64), *(getattr(stream, name) for stream in index.streams)])
        for name in _COLUMNS
    }
    try:
        with partial_file(path) as (partial, file):
            np.savez(
                file,
                allow_pickle=False,
                description=np.frombuffer(json.dumps(description).encode(), np.uint8),
                schemas=np.frombuffer(b"".join(stream.channel.schema_data for stream in index.streams), np.uint8),
                form=np.concatenate([np.empty(0, np.int32), *(stream.form for stream in index.streams)]),
                **columns,
            )
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
            sync_folder(path.parent)
    except OSError as err:
        raise StorageError(
            f"the index cannot be written ({err.strerror})",
            path=path,
            remedy="Check the folder and the space on its disk",
        ) from err


def load_index(path: Path | str) -> RecordingIndex:
    """Read an index back: equal to the one that was saved.

    Raises:
        StorageError: The file is missing, damaged, or of another format.
    """
    path = Path(path)
    try:
        with open(open_regular(path), "rb") as file:  # noqa: PTH123 - a descriptor
            with zipfile.ZipFile(file) as archive:
                if any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
                    raise ValueError("its arrays are compressed, which no index's are")  # noqa: TRY301 - as below
                damaged = archive.testzip()  # before NumPy allocates what a flipped bit asks for
            if damaged is None:
                file.seek(0)
                with np.load(file, allow_pickle=False) as arrays:
                    return _rebuild({name: arrays[name] for name in arrays.files})
    except FileNotFoundError as err:
        raise StorageError("there is no such index", path=path, remedy=_REMEDY) from err
    except Exception as err:  # zipfile and NumPy raise a dozen kinds on damaged archives
        raise StorageError(f"the index is damaged ({err})", path=path, remedy=_REMEDY) from err
    raise StorageError(f"the index is damaged (checksum of {damaged})", path=path, remedy=_REMEDY)


def _describe(stream: Stream) -> dict[str, Any]:
    channel = {
        field.name: getattr(stream.channel, field.name)
        for field in dataclasses.fields(Channel)
        if field.name != "schema_data"
    }
    return {
        "channel": {**channel, "metadata": dict(stream.channel.metadata)},
        "content": dataclasses.asdict(stream.content),
        "contents": [dataclasses.asdict(content) for content in stream.contents],
        "num_messages": stream.num_messages,
        "schema_bytes": len(stream.channel.schema_data),
    }


def _rebuild(arrays: dict[str, NDArray[Any]]) -> RecordingIndex:
    description = json.loads(arrays["description"].tobytes())
    if description["format"] != _FORMAT:
        raise ValueError(f"its format is {description['format']!r}, not {_FORMAT!r}")
    schemas = arrays["schemas"].tobytes()
    streams: list[Stream] = []
    schema_end = message_end = 0
    for entry in description["streams"]:
        schema_start, schema_end = schema_end, schema_end + entry["schema_bytes"]
        message_start, message_end = message_end, message_end + entry["num_messages"]
        streams.append(
            Stream(
                channel=Channel(**entry["channel"], schema_data=schemas[schema_start:schema_end]),
                content=_rebuild_content(entry["content"]),
                contents=tuple(map(_rebuild_content, entry["contents"])),
                form=arrays["form"][message_start:message_end],
                **{name: arrays[name][message_start:message_end] for name in _COLUMNS},
            )
        )
    if schema_end != len(schemas) or any(len(arrays[name]) != message_end for name in (*_COLUMNS, "form")):
        raise ValueError("its arrays and its description differ in length")
    return RecordingIndex(
        path=description["path"],
        container=description["container"],
        content_hash=description["content_hash"],
        size_bytes=description["size_bytes"],
        streams=tuple(streams),
        faults=tuple(Fault(**fault) for fault in description["faults"]),
        losses=_rebuild_losses(description.get("losses")),
    )


def _rebuild_content(entry: dict[str, Any]) -> ChannelContent:
    return ChannelContent(**{**entry, "names": tuple(entry["names"])})


def _rebuild_losses(entry: dict[str, Any] | None) -> Losses:
    if entry is None:
        return Losses()
    return Losses(tuple(Loss(**loss) for loss in entry["entries"]), entry["num_messages"], entry["seconds"])
