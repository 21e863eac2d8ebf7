"""Which profile a recording is ingested with, and what is said of robot and task: the first rule that its path matches."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

import dagster as dg

from bagmill.errors import BagmillError, ProfileError
from bagmill.profile import Profile, load_profile


class Told(dg.Config):
    """A text, or the folder whose name it is: one of the two."""

    text: str | None = None
    folder: int | None = None
    """1: the first folder below the landing place; -1: the one that the recording lies in."""

    def of(self, recording: str, *, what: str) -> str:
        """What is told of one recording.

        Args:
            recording: Its path below the landing place, with `/`.
            what: `robot` or `task`, for the error.

        Raises:
            ProfileError: It does not lie that deep.
        """
        if self.folder is None:
            return self.text or ""
        folders = PurePosixPath(recording).parts[:-1]
        try:
            return folders[self.folder - 1 if self.folder > 0 else self.folder]
        except IndexError:
            raise ProfileError(
                [
                    f"the {what} of recording {recording} is to be the name of folder {self.folder} on its way, and there "
                    f"{'is 1' if len(folders) == 1 else f'are {len(folders)}'}"
                ],
                remedy="Move it into its folder, or give it a rule of its own under `profiles` in the deployment's file",
            ) from None


class ProfileRule(dg.Config):
    """One rule."""

    match: str
    """Glob of a recording's path below the landing place; `*` crosses folders."""
    profile: str
    """Path of the profile."""
    robot: Told | None = None
    """In place of the profile's."""
    task: Told | None = None
    """In place of the profile's."""

    def told(self, recording: str) -> tuple[tuple[str, str], ...]:
        """What the rule says of one recording in place of the profile, by name.

        Raises:
            ProfileError: The recording does not lie deep enough.
        """
        said = (("robot", self.robot), ("task", self.task))
        return tuple((what, told.of(recording, what=what)) for what, told in said if told is not None)


class ProfileRules(dg.ConfigurableResource[None]):
    """The rules of a deployment, in order."""

    rules: list[ProfileRule]

    def reader(self) -> Callable[[str], Profile]:
        """Gives the profile that a recording is ingested with, by its path below the landing place, with `/`.

        For one batch: every file is read once, and may be another one by the next. Recordings of which the same is said share
        one profile. Raises a `BagmillError` where no rule matches, the profile is not valid, or the recording lies where its
        robot or task cannot be told.
        """
        found: dict[object, Profile | BagmillError] = {}

        def read(recording: str) -> Profile:
            rule = self._rule_of(recording)
            told = rule.told(recording)
            key = rule.profile, told
            if key not in found:
                found[key] = _read(rule.profile, told)
            if isinstance(profile := found[key], BagmillError):
                raise profile
            return profile

        return read

    def _rule_of(self, recording: str) -> ProfileRule:
        for rule in self.rules:
            if fnmatchcase(recording, rule.match):
                return rule
        known = ", ".join(f"`{rule.match}`" for rule in self.rules) or "none"
        raise ProfileError(
            [f"no rule for profiles matches recording {recording}; the deployment's rules are: {known}"],
            remedy="Add a rule under `profiles` in the deployment's file",
        )


def _read(path: str, told: tuple[tuple[str, str], ...]) -> Profile | BagmillError:
    try:
        return load_profile(path).model_copy(update=dict(told))
    except BagmillError as err:  # it cannot be read, or asks for more than any profile may: its recordings are refused
        return err
