"""Files that people write: profiles, a deployment's settings, limits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from bagmill.deployment import read_deployment
from bagmill.limits_file import load_limits
from bagmill.profile import load_profile
from bagmill.quality import resolve_checks
from bagmill.testing import small_profile
from tests.fuzz.target import Target, Try

_EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
_YAML = (
    b"&a ",
    b"*a",
    b"<<: *a",
    b"!!int ",
    b"!!timestamp x",
    b"!!binary ",
    b"!!set ",
    b"[" * 40,
    b"{",
    b"1e999",
    b"1e-99999999",
    b"1e308",
    b".nan",
    b".inf",
    b"0x" + b"f" * 40,
    b"1:1:1",
    b"- ",
    b"? ",
    b"| ",
    b"---\n",
    b"\t",
    b"null",
    b"\xff\xfe",
    b"2026-13-45",
)


def _file(name: str, load: object) -> Try:
    def attempt(data: bytes, place: Path) -> object:
        path = place / name
        path.write_bytes(data)
        return load(path)  # type: ignore[operator]

    return attempt


@cache
def _profiles() -> Sequence[bytes]:
    return [
        yaml.safe_dump(small_profile()).encode(),
        *(path.read_bytes() for path in sorted((_EXAMPLES / "profiles").glob("*.yaml"))),
    ]


def _load_profile(path: Path) -> object:
    profile = load_profile(path)
    resolve_checks(profile)
    return profile


SETTINGS = (
    Target("profile", _file("profile.yaml", _load_profile), _profiles, _YAML, weight=0.5),
    Target(
        "deployment",
        _file("deployment.yaml", read_deployment),
        lambda: [(_EXAMPLES / "deployment.yaml").read_bytes()],
        _YAML,
    ),
    Target(
        "limits",
        _file("limits.yaml", load_limits),
        lambda: [b"pixels: 500_000_000\nnesting: 9\nsql_s: 1.5\n"],
        _YAML,
        weight=0.3,
    ),
)
