from fractions import Fraction
from pathlib import Path

import pytest

from bagmill.errors import ProfileError
from bagmill.profile import feature_kind, load_profile, parse_profile

GOOD = """
name: arm
rate_hz: 30000/1001
features:
  images/wrist: {channel: /wrist/image}
  state: {channel: /joint_states, field: position, limits: [[-3.2, 3.2]]}
  action: {channel: /commands, field: position, rule: latest, clock: log}
checks:
  skew: {threshold: 20, severity: warn}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "profile.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as caught:
        load_profile(written(folder, text))
    return caught.value.problems


def test_defaults_fill_what_is_left_out(tmp_path: Path):
    profile = load_profile(written(tmp_path, GOOD))
    assert profile.rate_hz == Fraction(30000, 1001)
    assert profile.clock == "header"
    assert {name: spec.rule for name, spec in profile.features.items()} == {
        "images/wrist": None,
        "state": None,
        "action": "latest",
    }
    assert profile.features["images/wrist"].quality == 95
    assert profile.checks["skew"].threshold == 20


def test_a_bare_off_in_yaml_is_a_severity(tmp_path: Path):
    path = written(tmp_path, GOOD.replace("severity: warn", "severity: off"))
    assert load_profile(path).checks["skew"].severity == "off"


@pytest.mark.parametrize(("rate", "exact"), [(30, 30), (29.97, Fraction(2997, 100)), ("1/3", Fraction(1, 3))])
def test_rates_are_exact(rate: object, exact: Fraction):
    features = {"state": {"channel": "/s", "field": "data"}}
    assert parse_profile({"name": "a", "rate_hz": rate, "features": features}).rate_hz == exact


def test_every_mistake_is_told_with_its_place(tmp_path: Path):
    text = """
name: arm
rate_hz: -3
colour: red
features:
  images/wrist: {channel: /wrist/image, tolerance_ms: 0}
  state: {field: position}
"""
    problems = problems_of(tmp_path, text)
    assert sorted(problem.split(" @ ")[1] for problem in problems) == [
        "$.colour",
        "$.features.images/wrist.tolerance_ms",
        "$.features.state",
        "$.rate_hz",
    ]
    assert "no such setting @ $.colour" in problems
    assert "`channel`, the topic it is taken from, is missing @ $.features.state" in problems


def test_features_that_make_no_sense_are_told_together(tmp_path: Path):
    text = """
name: arm
rate_hz: 30
features:
  images/wrist: {channel: /wrist/image}
  images: {channel: /other}
  depth/wrist: {channel: /depth, field: data}
  state: {channel: /joint_states}
  valid/x: {channel: /joint_states, field: position}
  limited: {channel: /joint_states, field: position, limits: [[1, -1]]}
"""
    problems = problems_of(tmp_path, text)
    assert "a feature cannot lie inside another, `images` @ $.features.images/wrist" in problems
    places = [problem.split(" @ ")[1] for problem in problems]
    assert places == [
        "$.features.images/wrist",
        "$.features.images",
        "$.features.depth/wrist",
        "$.features.state",
        "$.features.valid/x",
        "$.features.limited",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1, 2]", "expected a mapping at the top, found list"),
        ("", "required, but not there"),
        ("a: [", "is not YAML"),
    ],
)
def test_files_that_are_no_profiles(tmp_path: Path, text: str, problem: str):
    assert problem in problems_of(tmp_path, text)[0]


def test_files_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(ProfileError, match=r"none\.yaml: cannot be read \(No such file or directory\)"):
        load_profile(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(ProfileError, match="is not UTF-8 text"):
        load_profile(tmp_path / "latin.yaml")


def test_canonical_form_is_the_same_however_it_is_written(tmp_path: Path):
    written_out = GOOD.replace("{channel: /wrist/image}", "{channel: /wrist/image, quality: 95, rule: null}")
    a = load_profile(written(tmp_path, GOOD)).canonical()
    b = load_profile(written(tmp_path, written_out)).canonical()
    assert a == b
    assert a["rate_hz"] == "30000/1001"


@pytest.mark.parametrize(
    ("name", "kind"), [("images/a", "image"), ("depth/a", "depth"), ("state", "signal"), ("imagesque/a", "signal")]
)
def test_kind_is_said_by_the_name(name: str, kind: str):
    assert feature_kind(name) == kind


@pytest.mark.parametrize("name", ["zarr.json", "images/zarr.json", "zarr.json/a"])
def test_no_feature_is_called_as_the_files_that_describe_an_episode(name: str) -> None:
    with pytest.raises(ProfileError, match=r"no part of a feature's name is `zarr\.json`"):
        parse_profile({"name": "p", "rate_hz": 30, "features": {name: {"channel": "/s", "field": "data"}}})
