"""An episode's version: a hash of everything its bytes depend on."""

from __future__ import annotations

import hashlib
import json

from bagmill.episodes.layout import FORMAT_VERSION
from bagmill.profile import Profile

_NUM_DIGITS = 16


def episode_version(content_hash: str, profile: Profile) -> str:
    """Name the version that a recording and a profile make.

    Args:
        content_hash: `RecordingIndex.content_hash`.
        profile: With every default written out, so that spelling out a default changes nothing.

    Returns:
        16 hex digits.
    """
    content = {"recording": content_hash, "profile": profile.canonical(), "format": FORMAT_VERSION}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_NUM_DIGITS]
