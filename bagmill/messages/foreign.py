"""The room's door: whatever a library raises on a payload or a schema leaves as one sentence that names the channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bagmill.errors import DecodeError, LimitError
from bagmill.limits import limits
from bagmill.messages.given_definitions import GIVE_DEFINITIONS
from bagmill.recordings.records import Buffer, Channel

T = TypeVar("T")

_REMEDY = "The recording is damaged there, or its schema is not the one it was written with"


def guarded(decode: Callable[[Buffer], T], channel: Channel) -> Callable[[Buffer], T]:
    """A decoder that raises nothing but DecodeError, with the channel's topic in it.

    Args:
        decode: Payload → value; may raise anything.
        channel: Where the payloads come from.
    """

    def decode_or_say_why(data: Buffer) -> T:
        try:
            return decode(data)
        except DecodeError as err:
            err.channel = err.channel or channel.topic
            raise
        except LimitError as err:
            raise DecodeError(err.problem, channel=channel.topic, remedy=err.remedy) from err
        except MemoryError:
            raise  # of the whole process: the message is not to blame for it
        except Exception as err:  # damaged bytes make libraries raise whatever comes to their mind
            raise DecodeError(
                f"{len(data)} bytes that are no {channel.schema_name} ({said(err)})",
                channel=channel.topic,
                remedy=_REMEDY,
            ) from err

    return decode_or_say_why


@contextmanager
def reading_schema(channel: Channel) -> Iterator[None]:
    """Everything that goes wrong with a channel's schema inside the block leaves as a DecodeError.

    Args:
        channel: Whose schema is being read.
    """
    try:
        limits().check("schema_bytes", len(channel.schema_data), what="the size of the schema in bytes")
        yield
    except DecodeError as err:
        err.channel = err.channel or channel.topic
        raise
    except LimitError as err:
        problem = f"the {channel.schema_encoding or 'empty'} schema of {channel.schema_name} asks for too much"
        raise DecodeError(f"{problem}: {err.problem}", channel=channel.topic, remedy=err.remedy) from err
    except MemoryError:
        raise  # as above
    except Exception as err:
        raise DecodeError(
            f"the {channel.schema_encoding or 'empty'} schema of {channel.schema_name} cannot be used ({said(err)})",
            channel=channel.topic,
            remedy=GIVE_DEFINITIONS
            if channel.message_encoding in {"cdr", "ros1"}
            else "Record the channel again with its message definition",
        ) from err


def said(err: Exception) -> str:
    """What an exception says, on one line and not for ever."""
    text = " ".join(str(err).split()).rstrip(".") or type(err).__name__
    return text if len(text) <= 160 else f"{text[:157]}…"
