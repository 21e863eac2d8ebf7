"""Messages written by others: rosbags for ROS, google.protobuf for protobuf."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from mcap.records import Channel as McapChannel
from mcap.records import Message as McapMessage
from mcap.records import Schema as McapSchema
from mcap.stream_reader import StreamReader
from rosbags.interfaces import Nodetype
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from bagmill.recordings.records import Channel


@dataclass(frozen=True)
class Wire:
    """One of ROS's serialisations, as rosbags writes it."""

    name: str
    store: Typestore

    @property
    def is_ros1(self) -> bool:
        return self.name == "ros1"

    def channel(self, schema_name: str, *, topic: str = "/topic") -> Channel:
        definition, _ = self.store.generate_msgdef(schema_name, ros_version=1 if self.is_ros1 else 2)
        return Channel(
            id=0,
            topic=topic,
            schema_name=schema_name,
            schema_encoding="ros1msg" if self.is_ros1 else "ros2msg",
            schema_data=definition.encode(),
            message_encoding="ros1" if self.is_ros1 else "cdr",
        )

    def pack(self, schema_name: str, values: Mapping[str, Any]) -> bytes:
        """What is left out of `values` is zero or empty."""
        message = _build(self.store, schema_name, values)
        if self.is_ros1:
            return bytes(self.store.serialize_ros1(message, schema_name))
        return bytes(self.store.serialize_cdr(message, schema_name, little_endian=self.name == "cdr-little"))

    def unpack(self, schema_name: str, data: bytes) -> Any:
        if self.is_ros1:
            return self.store.deserialize_ros1(data, schema_name)
        return self.store.deserialize_cdr(data, schema_name)

    def with_type(self, schema_name: str, definition: str) -> Wire:
        store = get_typestore(Stores.ROS1_NOETIC if self.is_ros1 else Stores.ROS2_HUMBLE)
        store.register(get_types_from_msg(definition, schema_name))
        return Wire(self.name, store)


def _build(store: Typestore, name: str, values: Mapping[str, Any]) -> Any:
    fields = store.fielddefs[name][1]
    assert values.keys() <= {field for field, _ in fields}, f"{name} has no {values.keys()}"
    return store.types[name](**{field: _value(store, kind, values.get(field)) for field, kind in fields})


def _value(store: Typestore, kind: Any, value: Any) -> Any:
    if kind[0] == Nodetype.NAME:
        return _build(store, kind[1], value or {})
    if kind[0] == Nodetype.BASE:
        return value if value is not None else "" if kind[1][0] == "string" else 0
    item, length = kind[1]
    if value is None:
        value = [None] * (length if kind[0] == Nodetype.ARRAY else 0)
    if item[0] == Nodetype.BASE and item[1][0] != "string":
        dtype = {"bool": "bool", "char": "uint8", "byte": "int8"}.get(item[1][0], item[1][0])
        return np.array([0 if number is None else number for number in value], dtype)
    return [_value(store, item, part) for part in value]


@pytest.fixture(scope="session", params=["cdr-little", "cdr-big", "ros1"])
def wire(request: pytest.FixtureRequest) -> Wire:
    return Wire(request.param, get_typestore(Stores.ROS1_NOETIC if request.param == "ros1" else Stores.ROS2_HUMBLE))


@pytest.fixture(scope="session")
def cdr() -> Wire:
    return Wire("cdr-little", get_typestore(Stores.ROS2_HUMBLE))


@pytest.fixture(scope="session")
def ros1() -> Wire:
    return Wire("ros1", get_typestore(Stores.ROS1_NOETIC))


@dataclass(frozen=True)
class Protobuf:
    """Message types of one .proto file, and the schema that MCAP would carry for them."""

    schema_data: bytes
    pool: descriptor_pool.DescriptorPool

    def message(self, name: str, **values: Any) -> Any:
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))(**values)

    def channel(self, name: str, *, topic: str = "/topic") -> Channel:
        return Channel(0, topic, name, "protobuf", self.schema_data, "protobuf")


FieldType = descriptor_pb2.FieldDescriptorProto


def _proto_file(package: str, messages: Mapping[str, list[tuple[str, int, Any, bool]]]) -> Protobuf:
    """Messages as name → [(field, number, type constant or message name, whether repeated)]."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}/all.proto",
        package=package,
        syntax="proto3",
        dependency=["google/protobuf/timestamp.proto"],
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind, is_repeated in fields:
            entry = message.field.add(name=field, number=number)
            entry.label = FieldType.LABEL_REPEATED if is_repeated else FieldType.LABEL_OPTIONAL
            if isinstance(kind, str):
                entry.type, entry.type_name = FieldType.TYPE_MESSAGE, kind
            else:
                entry.type = kind
    timestamp = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(timestamp)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(timestamp)
    pool.Add(file)
    return Protobuf(descriptor_pb2.FileDescriptorSet(file=[timestamp, file]).SerializeToString(), pool)


@pytest.fixture(scope="session")
def proto_file() -> Callable[..., Protobuf]:
    return _proto_file


@pytest.fixture(scope="session")
def foxglove() -> Protobuf:
    """The published schemas of the messages used here, field numbers included."""
    stamp = ".google.protobuf.Timestamp"
    number = FieldType.TYPE_DOUBLE
    return _proto_file(
        "foxglove",
        {
            "RawImage": [
                ("timestamp", 1, stamp, False),
                ("frame_id", 7, FieldType.TYPE_STRING, False),
                ("width", 2, FieldType.TYPE_FIXED32, False),
                ("height", 3, FieldType.TYPE_FIXED32, False),
                ("encoding", 4, FieldType.TYPE_STRING, False),
                ("step", 5, FieldType.TYPE_FIXED32, False),
                ("data", 6, FieldType.TYPE_BYTES, False),
            ],
            "CompressedImage": [
                ("timestamp", 1, stamp, False),
                ("frame_id", 4, FieldType.TYPE_STRING, False),
                ("data", 2, FieldType.TYPE_BYTES, False),
                ("format", 3, FieldType.TYPE_STRING, False),
            ],
            "Vector3": [("x", 1, number, False), ("y", 2, number, False), ("z", 3, number, False)],
            "Quaternion": [(axis, n + 1, number, False) for n, axis in enumerate("xyzw")],
            "Pose": [
                ("position", 1, ".foxglove.Vector3", False),
                ("orientation", 2, ".foxglove.Quaternion", False),
            ],
            "PoseInFrame": [
                ("timestamp", 1, stamp, False),
                ("frame_id", 2, FieldType.TYPE_STRING, False),
                ("pose", 3, ".foxglove.Pose", False),
            ],
            "FrameTransform": [
                ("timestamp", 1, stamp, False),
                ("parent_frame_id", 2, FieldType.TYPE_STRING, False),
                ("child_frame_id", 3, FieldType.TYPE_STRING, False),
                ("translation", 4, ".foxglove.Vector3", False),
                ("rotation", 5, ".foxglove.Quaternion", False),
            ],
            "FrameTransforms": [("transforms", 1, ".foxglove.FrameTransform", True)],
        },
    )


def _json_channel(schema_name: str, *, topic: str = "/topic") -> Channel:
    return Channel(0, topic, schema_name, "jsonschema", b'{"type": "object"}', "json")


@pytest.fixture(scope="session")
def json_channel() -> Callable[..., Channel]:
    return _json_channel


def _in_ros2_form(name: str) -> str:
    package, _, kind = name.partition("/")
    return f"{package}/msg/{kind}" if kind and "/" not in kind else name


def _mcap_messages(path: Path) -> Iterator[tuple[Channel, bytes]]:
    schemas: dict[int, McapSchema] = {}
    channels: dict[int, Channel] = {}
    for record in StreamReader(BytesIO(path.read_bytes())).records:
        if isinstance(record, McapSchema):
            schemas[record.id] = record
        elif isinstance(record, McapChannel):
            schema = schemas[record.schema_id]
            name = _in_ros2_form(schema.name)
            channels[record.id] = Channel(
                record.id, record.topic, name, schema.encoding, schema.data, record.message_encoding
            )
        elif isinstance(record, McapMessage):
            yield channels[record.channel_id], record.data


def _bag_messages(path: Path) -> Iterator[tuple[Channel, bytes]]:
    with Rosbag1Reader(path) as reader:
        for connection, _, data in reader.messages():
            yield (
                Channel(
                    connection.id,
                    connection.topic,
                    connection.msgtype,
                    "ros1msg",
                    connection.msgdef.data.encode(),
                    "ros1",
                ),
                data,
            )


@pytest.fixture(scope="session")
def real_messages(recordings_dir: Path) -> Callable[[str], Iterator[tuple[Channel, bytes]]]:
    """Messages of a real MCAP file or ROS 1 bag, by its path below the folder, as mcap and rosbags read it."""

    def read(name: str) -> Iterator[tuple[Channel, bytes]]:
        path = recordings_dir / name
        return _mcap_messages(path) if path.suffix == ".mcap" else _bag_messages(path)

    return read
