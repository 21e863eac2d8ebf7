"""A store of ROS types that makes what reads messages, and nothing else.

rosbags makes ten functions for every type, each of them code that is written and compiled. Reading takes one: that of the
encoding and byte order at hand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from rosbags.interfaces import Msgdef
from rosbags.interfaces.typing import Typesdict
from rosbags.serde.cdr import generate_deserialize_cdr
from rosbags.serde.ros1 import generate_deserialize_ros1
from rosbags.typesys.base import normalize_fieldname
from rosbags.typesys.store import Typestore


class ReadingStore(Typestore):
    """Types whose messages can be deserialised; none of the functions that write messages works."""

    num_fields: int = 0
    """Of the type that the store was made for, with all types inside it written out."""
    num_listed: float = 0.0
    """Values that a byte of a message can come to in a list, at most: see `type_limits`."""

    def make_classes(self, types: Typesdict) -> None:
        """Make the classes of types whose fields are known: rosbags writes them as code, and runs it.

        Without constants: messages do not hold them, and the time that rosbags takes for them grows with their square.

        Args:
            types: As of `types_of_msg`, and small enough.
        """
        made = Typestore()
        made.register({name: ([], fields) for name, (_, fields) in types.items()})
        self.types.update(made.types)

    def get_msgdef(self, typename: str) -> Msgdef[object]:
        """What deserialises a type; made when it is first asked for."""
        found = self.cache.get(typename)
        if found is None:
            entries = [(normalize_fieldname(name), desc) for name, desc in self.fielddefs[typename][1]]
            found = self.cache[typename] = Msgdef(typename, entries, self.types[typename], **_NOT_MADE)
            _make_when_called(found, "deserialize_cdr_le", lambda: generate_deserialize_cdr(entries, self, "le"))
            _make_when_called(found, "deserialize_cdr_be", lambda: generate_deserialize_cdr(entries, self, "be"))
            _make_when_called(found, "deserialize_ros1", lambda: generate_deserialize_ros1(entries, self))
        return found


def _make_when_called(definition: Msgdef[object], name: str, make: Callable[[], Any]) -> None:
    """Put a function into a definition that is made when it is first called, and then stands there itself."""

    def call(*args: Any) -> Any:
        made = make()
        object.__setattr__(definition, name, made)  # frozen, to all others
        return made(*args)

    object.__setattr__(definition, name, call)


def _refuse(*_: Any) -> Any:
    raise NotImplementedError


_NOT_MADE: Final[dict[str, Any]] = {
    field.name: 0 if field.name.startswith("size_") else _refuse for field in dataclasses.fields(Msgdef)[3:]
}
"""Of what a definition has beside its name, fields and class."""
