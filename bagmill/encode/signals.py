"""A signal's messages → its values on the ticks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment import RULES, AlignedFeature
from bagmill.encode.schedule import used_messages
from bagmill.errors import DecodeError
from bagmill.messages import signal_decoder
from bagmill.plan import FeaturePlan
from bagmill.recordings.records import Buffer


class SignalCollector:
    """Takes a channel's payloads in the recording's order, and gives the feature's values.

    Only messages that a tick is made from are decoded and kept: memory is one row of float64 for each of them.
    """

    def __init__(self, feature: FeaturePlan, aligned: AlignedFeature, *, num_messages: int) -> None:
        self.feature = feature
        self.damaged: list[int] = []
        """Sequences of the messages that could not be decoded."""
        self._aligned = aligned
        self._decode = signal_decoder(feature.channel, feature.spec.field or "", names=feature.joints)
        self._is_used = used_messages(aligned, num_messages=num_messages)
        self._row = np.cumsum(self._is_used) - 1
        self._values = np.full((int(np.count_nonzero(self._is_used)), *feature.shape), np.nan)

    def take(self, sequence: int, payload: Buffer) -> None:
        """Decode message number `sequence` if a tick is made from it."""
        if sequence >= len(self._is_used) or not self._is_used[sequence]:
            return
        try:
            values = self._decode(payload)
        except DecodeError:
            self.damaged.append(sequence)
            return
        if values.shape != self.feature.shape:
            self.damaged.append(sequence)
            return
        self._values[self._row[sequence]] = values

    def values(self, is_valid: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Values (T, D) in the feature's dtype; nan where not valid.

        Args:
            is_valid: (T,) the alignment's mask less the ticks that damaged messages would have fed.
        """
        values = np.full((len(is_valid), *self.feature.shape), np.nan)
        ticks = np.flatnonzero(is_valid)
        before = self._values[self._row[self._aligned.before[ticks]]]
        after = self._values[self._row[self._aligned.after[ticks]]]
        values[ticks] = RULES[self.feature.rule].combine(before, after, self._aligned.weight[ticks])
        with np.errstate(over="ignore"):
            # A number beyond float32 becomes infinite, which `values_finite` counts.
            return values.astype(self.feature.dtype)
