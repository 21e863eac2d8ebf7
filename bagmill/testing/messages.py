"""One message of a small recording, as plain values, and its bytes in a container's encoding.

Values are nested mappings, so that any message type of ROS can be written; what is left out is zero or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import BaseDesc, FieldDesc, NameDesc
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

Dialect = Literal["ros1", "ros2"]
PixelEncoding = Literal["rgb8", "bgr8", "rgba8", "bgra8", "mono8", "jpeg", "png"]


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """One message, before it is written."""

    topic: str
    schema_name: str
    """In the ROS 2 form: `sensor_msgs/msg/JointState`."""
    values: Mapping[str, Any]
    """Field → value: numbers, text, bytes, arrays, or mappings for nested messages."""
    log_ns: int
    """When the recorder received it, ns since the Unix epoch."""
    header_ns: int | None = None
    """The stamp in its header; None: the message has none."""
    publish_ns: int | None = None
    """When it was sent; None: `log_ns`. Only MCAP keeps it."""


@cache
def typestore(dialect: Dialect) -> Typestore:
    """The message types of a ROS generation."""
    return get_typestore(Stores.ROS1_NOETIC if dialect == "ros1" else Stores.ROS2_HUMBLE)


def serialise(message: SampleMessage, *, dialect: Dialect) -> bytes:
    """A message's payload: ROS 1 serialisation or little-endian CDR.

    Raises:
        ValueError: A value is named that the message type does not have.
        KeyError: There is no such message type.
    """
    values = dict(message.values)
    if message.header_ns is not None:
        sec, nanosec = divmod(message.header_ns, 1_000_000_000)
        values["header"] = {"frame_id": "", **values.get("header", {}), "stamp": {"sec": sec, "nanosec": nanosec}}
    store = typestore(dialect)
    built = _build(store, message.schema_name, values)
    write = store.serialize_ros1 if dialect == "ros1" else store.serialize_cdr
    return bytes(write(built, message.schema_name))


def image_values(rgb: NDArray[np.uint8], *, encoding: PixelEncoding = "rgb8", quality: int = 95) -> dict[str, Any]:
    """Values of a `sensor_msgs/msg/Image`, or of a `CompressedImage` for `jpeg` and `png`.

    Args:
        rgb: uint8 (H, W, 3).
        encoding: How its pixels are kept.
        quality: JPEG only; chroma is kept whole (4:4:4).
    """
    if encoding in ("jpeg", "png"):
        file = BytesIO()
        Image.fromarray(rgb).save(
            file, encoding, **({"quality": quality, "subsampling": 0} if encoding == "jpeg" else {})
        )
        return {"format": encoding, "data": file.getvalue()}
    opaque = np.full((*rgb.shape[:2], 1), 255, dtype=np.uint8)
    match encoding:
        case "bgr8":
            pixels = rgb[..., ::-1]
        case "rgba8":
            pixels = np.concatenate([rgb, opaque], axis=-1)
        case "bgra8":
            pixels = np.concatenate([rgb[..., ::-1], opaque], axis=-1)
        case "mono8":
            pixels = np.asarray(Image.fromarray(rgb).convert("L"))
        case _:
            pixels = rgb
    height, width = rgb.shape[:2]
    data = np.ascontiguousarray(pixels).tobytes()
    return {"height": height, "width": width, "encoding": encoding, "step": len(data) // height, "data": data}


def image_schema(encoding: PixelEncoding) -> str:
    """The message type that carries pixels of an encoding."""
    return "sensor_msgs/msg/CompressedImage" if encoding in ("jpeg", "png") else "sensor_msgs/msg/Image"


def depth_values(depth: NDArray[np.uint16]) -> dict[str, Any]:
    """Values of a `sensor_msgs/msg/Image` of encoding 16UC1 from uint16 (H, W)."""
    height, width = depth.shape
    return {
        "height": height,
        "width": width,
        "encoding": "16UC1",
        "step": 2 * width,
        "data": depth.astype("<u2").tobytes(),
    }


_NUMPY_NAMES = {"byte": "uint8", "char": "uint8"}
_ZEROS: dict[str, bool | str | float] = {"bool": False, "string": "", "wstring": "", "float32": 0.0, "float64": 0.0}
"""Of base types; 0 for the others."""


def _build(store: Typestore, schema_name: str, values: Mapping[str, Any]) -> object:
    fields = dict(store.fielddefs[schema_name][1])
    if unknown := values.keys() - fields.keys():
        raise ValueError(f"{schema_name} has no field {', '.join(sorted(unknown))}; it has {', '.join(fields)}")
    built = {name: _value(store, kind, values.get(name)) for name, kind in fields.items()}
    return store.types[schema_name](**built)


def _value(store: Typestore, kind: FieldDesc, value: Any) -> Any:
    """A field's value as its type wants it; `kind` is (node type, name) or (node type, (element's kind, length))."""
    nodetype, content = kind
    if nodetype == Nodetype.NAME:
        return _build(store, str(content), value or {})
    if nodetype == Nodetype.BASE:
        zero = _ZEROS.get(str(content[0]), 0)
        return zero if value is None else type(zero)(value)
    element, length = cast("tuple[BaseDesc | NameDesc, int]", content)
    if element[0] == Nodetype.BASE and "string" not in element[1][0]:
        return _numbers(element[1][0], np.zeros(length) if value is None else value)
    return [_value(store, element, item) for item in ([None] * length if value is None else value)]


def _numbers(type_name: str, value: Any) -> NDArray[Any]:
    dtype = np.dtype(_NUMPY_NAMES.get(type_name, type_name))
    if isinstance(value, bytes | bytearray | memoryview):
        return np.frombuffer(value, dtype=dtype)
    return np.asarray(value, dtype=dtype).ravel()
