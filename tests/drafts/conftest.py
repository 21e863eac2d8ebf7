"""Small recordings to draft profiles from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcap.writer import Writer

from bagmill.testing import START_NS

MS = 1_000_000
Tell = Callable[[int, int], dict[str, Any]]
"""(number, log time in ns) → message."""


@pytest.fixture
def json_recording(tmp_path: Path) -> Callable[..., Path]:
    """Write an MCAP file of JSON messages: topic → (schema name, number → message, how many, ms between two)."""

    def write(name: str, channels: dict[str, tuple[str, Tell, int, float]]) -> Path:
        path = tmp_path / name
        messages: list[tuple[int, str, dict[str, Any]]] = []
        with path.open("wb") as file:
            writer = Writer(file)
            writer.start()
            ids: dict[str, int] = {}
            for topic, (schema, tell, num_messages, period_ms) in channels.items():
                schema_id = writer.register_schema(schema, "jsonschema", b'{"type": "object"}')
                ids[topic] = writer.register_channel(topic, "json", schema_id)
                times = [START_NS + round(n * period_ms * MS) for n in range(num_messages)]
                messages += ((time, topic, tell(n, time)) for n, time in enumerate(times))
            for time, topic, message in sorted(messages, key=lambda entry: entry[0]):
                writer.add_message(ids[topic], time, json.dumps(message).encode(), time)
            writer.finish()
        return path

    return write
