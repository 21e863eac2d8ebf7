"""JSON in messages and schemas: parsed only as deep, as large and in such texts as everything behind it can take."""

from __future__ import annotations

import json
from typing import Any, Final

from bagmill.errors import DecodeError
from bagmill.json_depth import check_depth
from bagmill.limits import limits
from bagmill.recordings.records import Buffer

_SMALL_BYTES: Final = 1 << 20
"""A message of so many bytes has too few values to count them."""


def parse_json(data: Buffer) -> Any:
    """The value that a JSON text says.

    Args:
        data: UTF-8, or UTF-16 and UTF-32 as JSON lets them be told from it.

    Raises:
        LimitError: It nests too deep, or holds too many values.
        DecodeError: A text in it is none: half of a surrogate pair.
        ValueError: It is no JSON, a whole number in it has thousands of digits, or its bytes are no text.
        RecursionError: It nests deeper than Python's own parser goes.
    """
    raw = bytes(data)
    num_opened = raw.count(b"{") + raw.count(b"[")
    if len(raw) > _SMALL_BYTES:
        num_values = num_opened + raw.count(b",")
        limits().check("message_values", num_values, what="the number of values in a JSON message")
    text = raw.decode(json.detect_encoding(raw))
    value = json.loads(text)
    if num_opened > limits().nesting:
        check_depth(value, what="a JSON message")
    if r"\ud" in text or r"\uD" in text:
        _check_texts(value)
    return value


def _check_texts(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as err:
        raise DecodeError("a text with half of a surrogate pair in it, which is no text") from err
