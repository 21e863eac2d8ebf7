"""Every error a user of bagmill can meet.

One tree, so that `except BagmillError` catches all of it and nothing else. Typed fields go in, one sentence comes out: what is
wrong, where (path, channel, stamp), and what to do about it. Exceptions of other libraries are translated in the room that
called the library and never travel further.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from bagmill.addresses import is_address, public_address, without_secrets

_MOST_CHARACTERS: Final = 8_000


class BagmillError(Exception):
    """What is wrong, where, and what to do.

    Args:
        problem: What is wrong, as a clause without a full stop: expected and found.
        path: The file or folder it is wrong in.
        channel: The topic it is wrong on.
        stamp_ns: The log time of the message it is wrong in, ns since the Unix epoch.
        remedy: What the reader can do, as a clause without a full stop.
    """

    is_passing: ClassVar[bool] = False
    """What is wrong may pass by itself: a full disk, a recording that was not there."""

    def __init__(
        self,
        problem: str,
        *,
        path: Path | str | None = None,
        channel: str | None = None,
        stamp_ns: int | None = None,
        remedy: str | None = None,
    ) -> None:
        # Addresses may come in by any of them, and errors are logged, stored and shown to others.
        self.problem = _readable(without_secrets(problem))
        super().__init__(self.problem)
        self.path = None if path is None else Path(public_address(str(path)) if is_address(str(path)) else path)
        self.channel = channel
        self.stamp_ns = stamp_ns
        self.remedy = None if remedy is None else _readable(without_secrets(remedy))

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}." if self.remedy else self.sentence

    @property
    def sentence(self) -> str:
        """What is wrong and where, without the remedy."""
        where = [] if self.path is None else [str(self.path)]
        if self.channel is not None:
            where.append(f"channel {self.channel}")
        if self.stamp_ns is not None:
            where.append(f"message at {self.stamp_ns} ns")
        return f"{', '.join(where)}: {self.problem}." if where else f"{self.problem}."

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders in batches; the default would call __init__ without the keywords.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _readable(text: str) -> str:
    """A text that a person reads and a disk keeps, whatever a profile or a recording had named in it."""
    if len(text) <= _MOST_CHARACTERS:
        return text
    half = _MOST_CHARACTERS // 2
    return f"{text[:half]} … ({len(text) - 2 * half:,} characters left out) … {text[-half:]}"


def _rebuild(kind: type[BagmillError], args: tuple[object, ...], state: dict[str, object]) -> BagmillError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class RecordingError(BagmillError):
    """A recording that cannot be opened or read."""


class UnsettledRecordingError(RecordingError):
    """A recording that is not there, or that changed while it was read: later it may be read well."""

    is_passing = True


class LimitError(RecordingError):
    """What a recording asks for is above what any recording may cost: see `limits`.

    Args:
        limit: The entry's name.
        problem: What was found and how much is taken, as a clause.
    """

    def __init__(self, limit: str, problem: str, **where: Any) -> None:
        self.limit = limit
        remedy = f"If this is as it should be, set a higher `{limit}` under `limits` (docs/limits.md)"
        super().__init__(problem, **{"remedy": remedy, **where})


class DecodeError(BagmillError):
    """A message whose payload is not what its schema says."""


class CodecError(BagmillError):
    """Bytes that a codec cannot decode, or an array that it cannot encode."""


class AlignmentError(BagmillError):
    """Streams that cannot be laid on one timeline."""


class StorageError(BagmillError):
    """An episode, report or snapshot that cannot be written or read back."""

    is_passing = True


class QueryError(BagmillError):
    """A condition over a snapshot's rows that cannot be understood, or names what the snapshot does not have."""


class FeatureError(BagmillError):
    """A feature of several episodes that cannot be one: other columns, units or scales."""


class ColumnsError(FeatureError):
    """A feature whose episodes have other columns, so that only datasets of each kind can be put together."""


class TrainingError(BagmillError):
    """Samples that cannot be made as they are asked for: features, windows, sizes, sources that do not go together."""


class NoSampleError(TrainingError, IndexError):
    """A sample's number that is not there."""


class ExportError(BagmillError):
    """Episodes that cannot be written in another format as they are asked for."""


class SettingsError(BagmillError):
    """A file with settings that cannot be read or is not valid: every mistake, with its place."""


class AddressError(BagmillError):
    """An address in a store where a path on this machine is due."""


class RegistryError(BagmillError):
    """A name that no implementation is registered under, or one that two are."""


class _ListedError(BagmillError):
    """Several problems found together, told together."""

    def __init__(self, problems: Sequence[str], *, path: Path | str | None = None, remedy: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems), path=path, remedy=remedy)


class ProfileError(_ListedError):
    """A profile that is not valid: every mistake in it, each with its place (`… @ $.features.state.rule`)."""


class PlanError(_ListedError):
    """A profile that does not fit a recording: every mismatch between the two."""
