"""How many fields the types of a recording have together: what each costs to be made ready, a recording pays once a type."""

from __future__ import annotations

from pathlib import Path

from bagmill.errors import DecodeError
from bagmill.limits import limits
from bagmill.messages import num_type_fields
from bagmill.recordings import Channel


class FieldCount:
    """Counts the types of a recording's channels, each once.

    Args:
        path: The recording's, for error messages.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._schemas: set[tuple[str, str, str, bytes]] = set()
        self._num_fields = 0

    def add(self, channel: Channel) -> None:
        """Count a channel's type, unless it is known or cannot be read.

        Raises:
            LimitError: With it, there are too many fields.
        """
        schema = (channel.message_encoding, channel.schema_encoding, channel.schema_name, channel.schema_data)
        if schema in self._schemas:
            return
        self._schemas.add(schema)
        try:
            self._num_fields += num_type_fields(channel)
        except DecodeError:
            return
        what = "the number of fields of all types together"
        limits().check("recording_fields", self._num_fields, what=what, path=self._path)
