"""Which profile a recording gets."""

from pathlib import Path

import pytest

from bagmill.errors import ProfileError
from resources.profiles import ProfileRule, ProfileRules

RULES = ProfileRules(
    rules=[
        ProfileRule(match="left/*.mcap", profile="/p/left.yaml"),
        ProfileRule(match="*.mcap", profile="/p/any.yaml"),
    ]
)


@pytest.mark.parametrize(
    ("recording", "profile"),
    [
        ("left/a.mcap", "/p/left.yaml"),
        ("left/day1/a.mcap", "/p/left.yaml"),
        ("right/a.mcap", "/p/any.yaml"),
        ("a.mcap", "/p/any.yaml"),
    ],
)
def test_the_first_rule_that_matches_counts(recording: str, profile: str) -> None:
    assert RULES.profile_of(recording) == Path(profile)


def test_no_rule_is_a_refusal_that_names_the_rules() -> None:
    with pytest.raises(
        ProfileError, match=r"recording a\.bag; the deployment's rules are: `left/\*\.mcap`, `\*\.mcap`"
    ):
        RULES.profile_of("a.bag")
    with pytest.raises(ProfileError, match="rules are: none"):
        ProfileRules(rules=[]).profile_of("a.bag")
