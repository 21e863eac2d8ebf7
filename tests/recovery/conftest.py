"""Recordings built with the stock writers."""

from tests.recordings.conftest import build_mcap

__all__ = ["build_mcap"]
