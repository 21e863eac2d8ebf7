"""The error of what cannot be mended."""

from __future__ import annotations

from bagmill.errors import BagmillError


class CannotMendError(BagmillError):
    """Something cannot be made again from what is there."""
