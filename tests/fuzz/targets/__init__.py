"""The targets, by subject."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets.conditions import CONDITIONS
from tests.fuzz.targets.definitions import DEFINITIONS
from tests.fuzz.targets.messages import MESSAGES
from tests.fuzz.targets.pictures import PICTURES
from tests.fuzz.targets.published import PUBLISHED
from tests.fuzz.targets.recordings import RECORDINGS
from tests.fuzz.targets.settings import SETTINGS

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (*RECORDINGS, *DEFINITIONS, *MESSAGES, *PICTURES, *SETTINGS, *CONDITIONS, *PUBLISHED)
}
