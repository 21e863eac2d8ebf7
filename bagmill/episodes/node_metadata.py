"""What an episode's metadata must look like: every value that is taken from them has the type and the range that it is taken for.

Source: Zarr v3 core specification, "Array metadata", as far as an episode's arrays use it.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bagmill.episodes import layout
from bagmill.errors import LimitError, StorageError
from bagmill.json_depth import check_depth
from bagmill.limits import limits
from bagmill.regular_files import read_regular
from bagmill.yaml_files import tell_problems

MOST_BYTES: Final = 1 << 26
"""Of a metadata file."""
_SHOWN: Final = 3
_MOST_CHANNELS: Final = 3
"""Of a picture."""
Model = TypeVar("Model", bound=BaseModel)
_REMEDY: Final = "Verify the episode, delete it and make it again from its recording"

_Size = Annotated[int, Field(ge=0, le=layout.MAX_TICKS)]
_Length = Annotated[int, Field(ge=1, le=layout.MAX_TICKS)]
_Text = Annotated[str, StringConstraints(max_length=1 << 20)]


class _Part(BaseModel):
    """Other members are taken as they are: nobody reads them."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _Named(_Part):
    """A codec, a grid."""

    name: _Text
    configuration: dict[str, Any] = Field(default_factory=dict)


class _GridSettings(_Part):
    chunk_shape: list[_Length]


class _Grid(_Part):
    name: Literal["regular"]
    configuration: _GridSettings


class _Described(_Part):
    """What an array or a feature says of its columns."""

    names: list[_Text] | None = None
    named: list[bool] | None = None
    is_named: bool | None = None
    units: _Text | list[_Text | None] | None = None
    scale_m: float | None = None


class _Array(_Part):
    shape: list[_Size] = Field(min_length=1, max_length=4)
    data_type: Literal[
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
    ]
    chunk_grid: _Grid
    codecs: list[_Named] = Field(min_length=1)
    attributes: _Described


class _Fault(_Part):
    code: _Text
    message: _Text
    severity: _Text


class _DecodeFault(_Part):
    model_config = ConfigDict(extra="forbid", strict=True)

    reason: _Text
    channel: _Text
    num_messages: int
    first_sequence: int
    first_ns: int
    remedy: _Text | None = None
    is_example: bool = False


class _Source(_Part):
    """Of what a feature, or a part of one, was made."""

    channel: _Text | None = None
    clock: _Text | None = None
    rule: _Text | None = None
    field: _Text | None = None


class _Codec(_Part):
    step: _Text | None = None
    quality: int | None = None


class _Feature(_Source, _Described):
    codec: _Codec | None = None
    decode_faults: list[_DecodeFault] = Field(default_factory=list)
    parts: list[_Source] = Field(default_factory=list)


class _Recording(_Part):
    container: _Text | None = None
    content_hash: _Text | None = None
    size_bytes: int | None = None
    num_messages: int | None = None


class _Profile(_Part):
    name: _Text | None = None


class _Checksums(_Part):
    metadata: _Text
    arrays: dict[str, _Text]


class _Episode(_Part):
    episode: _Text | None = None
    version: _Text | None = None
    robot: _Text | None = None
    task: _Text | None = None
    rate_hz: _Text | None = None
    recording: _Recording | _Text = Field(default_factory=_Recording)
    profile: _Profile = Field(default_factory=_Profile)
    features: dict[str, _Feature] = Field(default_factory=dict)
    checksums: _Checksums | None = None
    omitted_features: list[_Text] = Field(default_factory=list)
    faults: list[_Fault] = Field(default_factory=list)


def read_json(path: Path) -> Any:
    """The content of a metadata file.

    Raises:
        StorageError: It is no JSON, or larger or deeper than metadata are.
        OSError: It cannot be read.
    """
    text = read_regular(path, most_bytes=MOST_BYTES)
    if len(text) > MOST_BYTES:
        raise _damaged(path, f"more than {MOST_BYTES:,} bytes")
    try:
        content = json.loads(text.decode())
        check_depth(content, what="an episode's metadata")
    except LimitError as err:
        raise _damaged(path, err.problem) from err
    except (ValueError, RecursionError) as err:
        raise _damaged(path) from err
    return content


def check_episode(attributes: Any, *, path: Path) -> None:
    """Refuse an episode's attributes that are not as an episode's are.

    Raises:
        StorageError: They are not.
    """
    _check(_Episode, attributes, path)


def check_array(name: str, node: Any, *, path: Path) -> None:
    """Refuse an array's metadata that are not as an array's are, or that lead to bytes which cannot be there.

    Args:
        name: Of the array.
        node: Its metadata.
        path: Of the file that they are in.

    Raises:
        StorageError: They are not.
    """
    array = _check(_Array, node, path, name)
    num_values = math.prod(array.shape[1:])
    if num_values > _MOST_CHANNELS * limits().pixels:
        raise _damaged(path, f"array {name} has {num_values:,} values a tick")


def check_chunks(name: str, node: Any, *, path: Path) -> None:
    """Refuse an array of values that is not cut into chunks as an episode's are: there may be no end of them.

    Args:
        name: Of the array.
        node: Its metadata, as `check_array` takes them.
        path: Of the file that they are in.

    Raises:
        StorageError: It is not.
    """
    num_ticks, *row = node["shape"]
    rows = layout.chunk_ticks(num_ticks, tick_bytes=math.prod(row) * np.dtype(node["data_type"]).itemsize)
    found, expected = node["chunk_grid"]["configuration"]["chunk_shape"], [rows, *(max(1, length) for length in row)]
    if found != expected:
        raise _damaged(path, f"array {name} has chunks of {found}, not {expected}")


def _check(model: type[Model], content: Any, path: Path, name: str = "") -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as err:
        told = tell_problems(err)
        more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        of = f"array {name}: " if name else ""
        raise _damaged(path, f"{of}{'; '.join(told[:_SHOWN])}{more}") from None


def _damaged(path: Path, problem: str = "") -> StorageError:
    more = f": {problem}" if problem else ""
    return StorageError(f"the episode's metadata are damaged{more}", path=path, remedy=_REMEDY)
