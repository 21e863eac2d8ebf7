"""What a recording may cost at most: one table, in force for a whole process.

A recording comes from elsewhere, and a few bytes of it can ask for gigabytes, minutes or a stack without end. Wherever a
number out of a recording decides how much is allocated, unpacked, walked or kept, it is held against this table first, and
what is above is refused by a `LimitError` that names the entry. The defaults are far above what robots record; a deployment
sets others in its file, under `limits`, and the command line in the file that `BAGMILL_LIMITS` names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from bagmill.errors import LimitError

_KIB: Final = 1 << 10
_MIB: Final = 1 << 20
_GIB: Final = 1 << 30


class Limits(BaseModel):
    """The table; every entry is the most that is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Containers
    record_bytes: int = Field(default=256 * _MIB, ge=1)
    """Of one record, message or row as the container holds it."""
    chunk_bytes: int = Field(default=256 * _MIB, ge=1)
    """Of one chunk or compressed message, unpacked."""
    unpacked_at_least_bytes: int = Field(default=4 * _GIB, ge=1)
    """Unpacked from any recording's chunks, messages and files together, however small it is."""
    unpacked_ratio: int = Field(default=1_000, ge=0)
    """Further bytes unpacked for each byte of the recording's files."""
    splits: int = Field(default=10_000, ge=1)
    """Files of a rosbag2 folder."""
    split_bytes: int = Field(default=64 * _GIB, ge=1)
    """Of one file of a rosbag2 folder that is compressed as a whole, unpacked."""
    channels: int = Field(default=10_000, ge=1)
    """Distinct channels of a recording."""
    channels_of_topic: int = Field(default=64, ge=1)
    """Distinct channels of one topic: each is compared with the others."""
    schemas: int = Field(default=5_000, ge=1)
    """Distinct schemas of a recording."""
    schema_bytes: int = Field(default=4 * _MIB, ge=1)
    """Of one schema's text or descriptor."""
    name_bytes: int = Field(default=4 * _KIB, ge=1)
    """Of a topic's, a type's or an encoding's name."""
    compared_bytes: int = Field(default=32 * _MIB, ge=1)
    """Of the definitions of one topic that are held against each other, counted at every comparison."""
    channel_bytes: int = Field(default=_MIB, ge=1)
    """Of a channel's names and metadata."""
    description_bytes: int = Field(default=64 * _MIB, ge=1)
    """Of a recording's names, schemas and channel metadata together."""
    faults: int = Field(default=1_000, ge=1)
    """Faults kept word for word; those beyond are counted by kind."""
    messages_at_least: int = Field(default=200_000, ge=1)
    """Messages, with other records, that any recording may hold, however small its file is."""
    messages_per_kib: int = Field(default=512, ge=1)
    """Further messages for each KiB of the recording's files: tiny records compress to almost nothing."""
    sql_steps: int = Field(default=20_000_000, ge=1)
    """Steps of SQLite's machine that a statement may take without giving a row."""

    # Schemas and messages
    array_length: int = Field(default=1_048_576, ge=1)
    """Of an array whose length the schema fixes."""
    nesting: int = Field(default=64, ge=1)
    """Levels of types, messages or JSON inside one another."""
    type_fields: int = Field(default=20_000, ge=1)
    """Fields of a type with all types inside it written out."""
    recording_fields: int = Field(default=200_000, ge=1)
    """Fields of all types of a recording's channels together, each written out."""
    message_values: int = Field(default=4_194_304, ge=1)
    """Values in the lists of one message, numbers that lie side by side not counted."""

    # Pictures
    pixels: int = Field(default=128 * _MIB, ge=1)
    """Of one picture."""
    jpeg_scans: int = Field(default=100, ge=1)
    """Of one progressive JPEG: each scan is decoded over the whole picture."""

    # Episodes
    ticks: int = Field(default=10_000_000, ge=1)
    """Of one timeline: nearly three hours at 1 kHz."""

    # YAML
    yaml_bytes: int = Field(default=16 * _MIB, ge=1)
    """Of one YAML file."""
    yaml_depth: int = Field(default=32, ge=1)
    """Levels inside one another."""
    yaml_nodes: int = Field(default=250_000, ge=1)
    """Values, with every alias and merge written out."""

    # One episode, in a process of its own
    episode_memory_bytes: int = Field(default=8 * _GIB, ge=_GIB // 2)
    """Memory of the process that makes one episode."""
    episode_silent_s: float = Field(default=600.0, gt=0)
    """Seconds without any progress, after which the process is ended."""

    def check(self, name: str, found: float, *, what: str, path: Path | str | None = None) -> None:
        """Refuse what is above an entry.

        Args:
            name: The entry's.
            found: In the entry's unit.
            what: What was found, as a subject that `of 7` can follow: "a chunk's unpacked size".
            path: The file it was found in.

        Raises:
            LimitError: It is above.
        """
        most = getattr(self, name)
        if found > most:
            raise LimitError(name, f"{what} is {found:,} where at most {most:,} is taken", path=path)


_in_force = Limits()


def limits() -> Limits:
    """The limits of this process."""
    return _in_force


def set_limits(wanted: Limits) -> None:
    """Put other limits in force, for this whole process and all its threads: once, where a program begins."""
    global _in_force  # noqa: PLW0603 - the limits of a process are one thing, asked for in the depths of every parser
    _in_force = wanted
