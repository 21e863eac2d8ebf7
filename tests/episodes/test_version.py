"""Episode versions."""

import json
from hashlib import sha256

from bagmill.episodes import FORMAT_VERSION, episode_version
from bagmill.profile import parse_profile

_CONTENT = {"name": "p", "rate_hz": 30, "features": {"state": {"channel": "/joints", "field": "position"}}}


def test_it_is_sixteen_hex_digits_over_recording_profile_and_format() -> None:
    profile = parse_profile(_CONTENT)
    content = {"recording": "xxh3_128:00", "profile": profile.canonical(), "format": FORMAT_VERSION}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert episode_version("xxh3_128:00", profile) == sha256(canonical.encode()).hexdigest()[:16]


def test_it_is_that_of_the_content_alone() -> None:
    version = episode_version("xxh3_128:00", parse_profile(_CONTENT))
    spelled_out = {**_CONTENT, "clock": "header", "features": {"state": {"field": "position", "channel": "/joints"}}}
    assert episode_version("xxh3_128:00", parse_profile(spelled_out)) == version
    assert episode_version("xxh3_128:01", parse_profile(_CONTENT)) != version
    assert episode_version("xxh3_128:00", parse_profile({**_CONTENT, "rate_hz": 31})) != version
