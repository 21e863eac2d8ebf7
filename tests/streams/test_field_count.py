"""The sum of all types' fields of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from mcap.writer import Writer

from bagmill.errors import LimitError
from bagmill.limits import Limits, limits, set_limits
from bagmill.streams import scan


@pytest.fixture(autouse=True)
def _own_limits() -> Iterator[None]:
    before = limits()
    set_limits(Limits(recording_fields=8))
    yield
    set_limits(before)


def ros(num_fields: int) -> tuple[str, str, bytes]:
    return "cdr", "ros2msg", "".join(f"float64 f{n}\n" for n in range(num_fields)).encode()


def protobuf(num_fields: int) -> tuple[str, str, bytes]:
    file = descriptor_pb2.FileDescriptorProto(name="d.proto", package="demo", syntax="proto3")
    message = file.message_type.add(name="M")
    for n in range(num_fields):
        message.field.add(name=f"f{n}", number=n + 1, type=descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE, label=1)
    return "protobuf", "protobuf", descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()


def recording(path: Path, *types: tuple[str, str, bytes]) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        for n, (message_encoding, encoding, data) in enumerate(types):
            schema_id = writer.register_schema("demo.M" if encoding == "protobuf" else f"demo/msg/M{n}", encoding, data)
            writer.register_channel(f"/t{n}", message_encoding, schema_id)
        writer.finish()
    return path


@pytest.mark.parametrize("types", [(ros(4), ros(5)), (ros(8), protobuf(1)), (protobuf(9),)])
def test_types_of_too_many_fields_together_are_refused(
    tmp_path: Path, types: tuple[tuple[str, str, bytes], ...]
) -> None:
    with pytest.raises(LimitError, match="fields of all types together is 9 where at most 8.*`recording_fields`"):
        scan(recording(tmp_path / "r.mcap", *types))


def test_one_type_counts_once_and_what_cannot_be_read_not_at_all(tmp_path: Path) -> None:
    broken = ("cdr", "ros2msg", b"Unknown u\n" * 20)
    index = scan(recording(tmp_path / "r.mcap", protobuf(4), ros(4), protobuf(4), broken))
    assert len(index.streams) == 4
