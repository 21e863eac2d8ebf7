"""Which profile a recording is ingested with: the first rule that its path matches."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import dagster as dg

from bagmill.errors import ProfileError


class ProfileRule(dg.Config):
    """One rule."""

    match: str
    """Glob of a recording's path below the recordings folder; `*` crosses folders."""
    profile: str
    """Path of the profile."""


class ProfileRules(dg.ConfigurableResource[None]):
    """The rules of a deployment, in order."""

    rules: list[ProfileRule]

    def profile_of(self, recording: str) -> Path:
        """The profile's path for a recording.

        Args:
            recording: Its path below the recordings folder, with `/`.

        Raises:
            ProfileError: No rule matches.
        """
        for rule in self.rules:
            if fnmatchcase(recording, rule.match):
                return Path(rule.profile)
        known = ", ".join(f"`{rule.match}`" for rule in self.rules) or "none"
        raise ProfileError(
            [f"no rule for profiles matches recording {recording}; the deployment's rules are: {known}"],
            remedy="Add a rule under `profiles` in the deployment's file",
        )
