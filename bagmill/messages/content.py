"""What messages of one form hold: the inventory's entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from bagmill.messages.numeric import number_types, numeric_fields
from bagmill.messages.parallel import joint_names


@dataclass(frozen=True, slots=True)
class ChannelContent:
    """One form of a channel's messages: enough to plan with, without reading their payloads again.

    Two messages are of one form if they have equally many numbers at every path and call them by the same names.
    """

    kind: Literal["image", "depth", "numeric", "none"]
    """`none`: nothing to train on (strings, an empty channel, a payload that cannot be decoded)."""
    encoding: str | None = None
    """Pixel encoding of an image as its message names it (`rgb8`, `16UC1`), or `jpeg`, `png`."""
    height: int | None = None
    width: int | None = None
    fields: Mapping[str, int] = field(default_factory=dict)
    """Numeric field path → how many numbers the messages hold there: `{"position": 14, "pose.position": 3}`."""
    names: tuple[str, ...] = ()
    """The names that the messages give to the elements of their own lists (a JointState's joints), in their order."""
    problem: str | None = None
    """Why it cannot be decoded, as one sentence; None where it can or where it is empty."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Path of a number or of a list of numbers → its type as recorded: `bool`, `uint8`, `float64`; `float64[]` for a list
    of any length, `float64[3]` for one of a fixed length. Elements of a list of messages have one path: `motors[:].q`."""
    example: Any = None
    """A message of the form as plain dicts and lists: the texts that name something are kept, others are empty, and
    every number is 0. None where the messages hold no numbers."""

    @classmethod
    def of_numbers(cls, example: Mapping[str, Any], *, types: Mapping[str, str] | None = None) -> Self:
        """The content of messages like an example.

        Args:
            example: As in the field of that name; its numbers' values do not matter.
            types: As in the field of that name; None: by the example's own numbers.
        """
        fields = numeric_fields(example)
        if not fields:
            return cls("none", example=example)
        found = number_types(example) if types is None else types
        return cls("numeric", fields=fields, names=joint_names(example), types=found, example=example)
