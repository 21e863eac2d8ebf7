"""A rosbag2 folder's metadata.yaml, validated.

Source: rosbag2_storage, versions 1 to 9 of `rosbag2_bagfile_information`; what later ones add is ignored.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bagmill.definitions import full_name
from bagmill.errors import RecordingError
from bagmill.limits import limits
from bagmill.recordings.file_window import unreadable
from bagmill.recordings.lfs_pointer import POINTER_BYTES, refuse_pointer
from bagmill.regular_files import read_regular
from bagmill.yaml_files import parse_yaml

FILE_NAME = "metadata.yaml"
ROOT_KEY = "rosbag2_bagfile_information"


class _Section(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Duration(_Section):
    """Between the first and the last message."""

    nanoseconds: int


class StartingTime(_Section):
    """Of the first message."""

    nanoseconds_since_epoch: int


class TopicMetadata(_Section):
    """A topic as it was recorded."""

    name: str
    type: str
    serialization_format: str = "cdr"
    """Version 1 does not tell it: there was only CDR."""


class TopicCount(_Section):
    """A topic with the number of its messages."""

    topic_metadata: TopicMetadata
    message_count: int


class SplitMetadata(_Section):
    """One file of several; told from version 5 on."""

    path: str
    starting_time: StartingTime
    duration: Duration
    message_count: int


class BagMetadata(_Section):
    """All that is used of metadata.yaml."""

    storage_identifier: str = ""
    """Empty in folders that were put together by hand: the files tell by themselves."""
    relative_file_paths: tuple[str, ...] = Field(min_length=1)
    duration: Duration
    message_count: int
    topics_with_message_count: tuple[TopicCount, ...] = ()
    files: tuple[SplitMetadata, ...] = ()
    compression_format: str = ""
    compression_mode: Literal["", "none", "message", "file", "storage"] = ""
    """`storage`: the container compresses by itself."""
    is_guessed: bool = Field(default=False, exclude=True)
    """Made up from the names of the files, where there is no metadata.yaml to go by."""

    @property
    def has_packed_messages(self) -> bool:
        """Every message is compressed by itself: nothing in the files says so."""
        return self.compression_mode == "message"

    @property
    def counts_by_topic(self) -> dict[tuple[str, str], int]:
        """Messages by topic and ROS 2 schema name."""
        counts: dict[tuple[str, str], int] = {}
        for topic in self.topics_with_message_count:
            key = (topic.topic_metadata.name, full_name(topic.topic_metadata.type))
            counts[key] = counts.get(key, 0) + topic.message_count
        return counts

    def end_of(self, name: str) -> int | None:
        """When a file's last message was logged, ns; None where it is not told."""
        named = {name, name.removesuffix(".zstd")}
        for split in self.files:
            if PurePosixPath(split.path).name in named:
                return split.starting_time.nanoseconds_since_epoch + split.duration.nanoseconds
        return None

    @field_validator("compression_format", "compression_mode", "storage_identifier", mode="before")
    @classmethod
    def _fold_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else "" if value is None else value

    @field_validator("topics_with_message_count", "files", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return () if value is None else value


def read_metadata(folder: Path) -> BagMetadata:
    """The folder's metadata.yaml.

    Raises:
        RecordingError: It is missing, cannot be read, or is not a rosbag2's.
    """
    path = folder / FILE_NAME
    try:
        content = read_regular(path, most_bytes=limits().yaml_bytes)
    except FileNotFoundError as err:
        raise RecordingError(
            f"the folder holds no {FILE_NAME}, so it is not a rosbag2 recording",
            path=folder,
            remedy=f"Name a file inside it, or run `ros2 bag reindex {folder.name}` to make one",
        ) from err
    except OSError as err:
        raise unreadable(path, err) from err
    refuse_pointer(path, content[:POINTER_BYTES])
    remedy = f"Run `ros2 bag reindex {folder.name}` on a copy, or name the files inside one by one"
    try:
        document = parse_yaml(content)
    except ValueError as err:
        raise RecordingError(f"it is not YAML: {err}", path=path, remedy=remedy) from err
    if not isinstance(document, dict) or ROOT_KEY not in document:
        raise RecordingError(f"it has no {ROOT_KEY}, so it is not a rosbag2's", path=path, remedy=remedy)
    try:
        return BagMetadata.model_validate(document[ROOT_KEY])
    except ValidationError as err:
        problems = "; ".join(
            f"{error['msg']} @ $.{'.'.join(str(part) for part in (ROOT_KEY, *error['loc']))}" for error in err.errors()
        )
        raise RecordingError(f"it is damaged: {problems}", path=path, remedy=remedy) from err
