"""A signal's messages → its values on the ticks, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress, count

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment import RULES, AlignedFeature, Timeline
from bagmill.encode.schedule import used_messages
from bagmill.errors import DecodeError
from bagmill.messages import DecodeFaults, SignalLayout, signal_decoder, signal_layout_finder
from bagmill.plan import FeaturePlan, PartPlan
from bagmill.recordings.records import Buffer

_BLOCK_BYTES = 1 << 17
_MIN_MESSAGES_PER_BLOCK = 8
"""Of larger messages the decoder is quicker than copying them whole."""
_MAX_LAYOUTS = 16
"""To be found in one channel: where every message has another, finding them would be work for nothing."""


@dataclass(slots=True)
class _Block:
    """Copies of messages of one size, waiting to be read together."""

    layout: SignalLayout
    capacity: int
    """Messages."""
    payloads: bytearray = field(default_factory=bytearray)
    sequences: list[int] = field(default_factory=list)


class SignalCollector:
    """Takes a channel's payloads in the recording's order, and gives the values of one part of a feature.

    Only messages that a tick is made from are decoded and kept: memory is one row of float64 for each of them, and a few
    blocks of 128 KiB. Messages that are laid out like one before are read in blocks; the others, and whatever in a block
    turns out to be laid out otherwise, go through the channel's decoder one by one, which gives the same numbers.
    """

    def __init__(self, feature: FeaturePlan, part: PartPlan, aligned: AlignedFeature, *, num_messages: int) -> None:
        self.feature = feature
        self.part = part
        self.channel = part.channel
        self._aligned = aligned
        self._shape = (len(part.columns),)
        self._decode = signal_decoder(part.channel, part.field, names=part.joints)
        self._find_layout = signal_layout_finder(part.channel, part.field, names=part.joints)
        self._num_layouts_left = _MAX_LAYOUTS if self._find_layout is not None else 0
        self._blocks: dict[int, _Block] = {}
        """By the size of their messages."""
        is_used = used_messages(aligned, num_messages=num_messages)
        self._is_used_mask = is_used
        self._is_used = is_used.tobytes()  # indexed by every message: NumPy's own scalars are slow
        self._row = np.cumsum(is_used) - 1
        self._values = np.full((int(np.count_nonzero(is_used)), *self._shape), np.nan)
        self._faults = DecodeFaults()

    @property
    def faults(self) -> DecodeFaults:
        """The messages taken so far that could not be decoded, and why."""
        self._read_blocks()
        return self._faults

    def take(self, sequence: int, payload: Buffer) -> None:
        """Decode message number `sequence` if a tick is made from it, now or with others like it; the payload is copied."""
        if sequence < len(self._is_used) and self._is_used[sequence]:
            self._take(sequence, payload)

    def take_run(self, first_sequence: int, payloads: Sequence[Buffer]) -> None:
        """As `take`, of messages that follow each other."""
        is_used = self._is_used[first_sequence : first_sequence + len(payloads)]
        used = list(compress(payloads, is_used))
        sequences = compress(count(first_sequence), is_used)
        sizes = set(map(len, used))
        block = self._blocks.get(min(sizes)) if len(sizes) == 1 else None
        if block is None:
            for sequence, payload in zip(sequences, used, strict=True):
                self._take(sequence, payload)
            return
        block.payloads += b"".join(used)
        block.sequences.extend(sequences)
        if len(block.sequences) >= block.capacity:
            self._read(block)

    def _take(self, sequence: int, payload: Buffer) -> None:
        block = self._blocks.get(len(payload))
        if block is None:
            self._take_one(sequence, payload)
            return
        block.payloads += payload
        block.sequences.append(sequence)
        if len(block.sequences) >= block.capacity:
            self._read(block)

    @property
    def unmeasured(self) -> list[int]:
        """Sequences of the messages taken so far that say "not measured", rising.

        That is a quaternion of length 0 where orientations are wanted, and a number that is none where the profile says so.
        """
        self._read_blocks()
        values = self._values
        is_unmeasured = np.zeros(len(values), np.bool_)
        if self.part.spec.nan == "invalid":
            is_unmeasured |= np.isnan(values).any(axis=1)
        if self.part.is_orientation:
            is_unmeasured |= np.equal(values.reshape(len(values), -1, 4), 0).all(axis=2).any(axis=1)
        is_unmeasured[self._row[self._faults.sequences]] = False
        sequences: list[int] = np.flatnonzero(self._is_used_mask)[is_unmeasured].tolist()
        return sequences

    def values(self, is_valid: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Values (T, D); nan where not valid.

        Args:
            is_valid: (T,) the alignment's mask less the ticks that messages without a value would have fed.
        """
        self._read_blocks()
        values = np.full((len(is_valid), *self._shape), np.nan)
        ticks = np.flatnonzero(is_valid)
        before = self._values[self._row[self._aligned.before[ticks]]]
        after = self._values[self._row[self._aligned.after[ticks]]]
        values[ticks] = RULES[self.part.rule].combine(before, after, self._aligned.weight[ticks])
        return values

    def _take_one(self, sequence: int, payload: Buffer) -> None:
        if self._decode_one(sequence, payload) and self._num_layouts_left:
            self._open_block(payload)

    def _decode_one(self, sequence: int, payload: Buffer) -> bool:
        """Whether it could be decoded."""
        try:
            values = _of_width(self._decode(payload), self._shape[0])
        except DecodeError as err:
            self._faults.add(sequence, err)
            return False
        self._values[self._row[sequence]] = values
        return True

    def _open_block(self, payload: Buffer) -> None:
        """Read messages like this one in blocks from now on."""
        capacity = _BLOCK_BYTES // len(payload)
        if self._find_layout is None or capacity < _MIN_MESSAGES_PER_BLOCK:
            return
        self._num_layouts_left -= 1
        layout = self._find_layout(payload)
        if layout is not None:
            self._blocks[len(payload)] = _Block(layout, capacity)

    def _read_blocks(self) -> None:
        for block in list(self._blocks.values()):
            self._read(block)

    def _read(self, block: _Block) -> None:
        """Empty a block."""
        sequences, payloads = np.array(block.sequences, np.int64), block.payloads
        block.sequences, block.payloads = [], bytearray()
        messages = np.frombuffer(payloads, np.uint8).reshape(len(sequences), block.layout.size_bytes)
        fits = block.layout.fits(messages)
        self._values[self._row[sequences[fits]]] = block.layout.numbers(messages if fits.all() else messages[fits])
        for odd in np.flatnonzero(~fits).tolist():
            self._decode_one(int(sequences[odd]), messages[odd].data)
        if 2 * np.count_nonzero(fits) < len(fits):
            # Most are laid out otherwise: the next one may be a better example.
            del self._blocks[block.layout.size_bytes]


def _of_width(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    if len(values) != width:
        raise DecodeError(f"expected {width} numbers, found {len(values)}")
    return values


def signal_values(collectors: Sequence[SignalCollector], timeline: Timeline) -> NDArray[np.floating]:
    """The values (T, D) of a signal in its own dtype; nan where not valid.

    Args:
        collectors: Of all parts of one feature, with all of their messages taken.
        timeline: Less the ticks that messages without a value would have fed.
    """
    feature = collectors[0].feature
    is_valid = timeline.features[feature.name].is_valid
    values = np.full((len(is_valid), *feature.shape), np.nan)
    for collector in collectors:
        values[:, list(collector.part.columns)] = collector.values(is_valid)
    with np.errstate(over="ignore"):
        # A number beyond float32 becomes infinite, which `values_finite` counts.
        return values.astype(feature.dtype)
