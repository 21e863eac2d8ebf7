"""The profile: what a user writes, in YAML, for one kind of robot.

It says which channel and field becomes which feature, by which clock, at which rate and tolerance, and what quality is asked.
`load_profile` validates it whole; whether it fits a given recording is `bagmill.plan`'s question.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bagmill.errors import ProfileError
from bagmill.yaml_files import read_mapping, tell_problems

Clock = Literal["header", "log", "publish"]
FeatureKind = Literal["image", "depth", "signal"]
Severity = Literal["error", "warn", "off"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_RESERVED = ("time", "source", "valid", "interpolated", "sequence")
_DEFAULT_RULES: dict[FeatureKind, str] = {"image": "nearest", "depth": "nearest", "signal": "linear"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CheckSpec(_Section):
    """How one check is to be judged; what is left out keeps the metric's own default."""

    threshold: float | None = None
    """In the metric's unit; `bagmill metrics` lists them."""
    severity: Severity | None = None
    """`error` blocks what is downstream, `warn` only tells, `off` does not measure."""

    @field_validator("severity", mode="before")
    @classmethod
    def _off_is_no_boolean(cls, severity: object) -> object:
        # YAML 1.1 reads a bare `off` as false.
        return "off" if severity is False else severity


class FeatureSpec(_Section):
    """One feature: where it comes from and how it is laid on the timeline."""

    channel: str
    """Topic, as recorded."""
    field: str | None = None
    """Signals: path to the numbers inside a message (`position`, `pose.position`, `data[0:3]`)."""
    names: tuple[str, ...] = ()
    """Signals of joint states: which joints, in which order; empty: all, in the order of the first message."""
    units: str | None = None
    """Signals: unit of the numbers, kept as an attribute (`rad`, `m/s`)."""
    dtype: Literal["float32", "float64"] = "float32"
    """Signals: how they are stored."""
    limits: tuple[tuple[float, float], ...] = ()
    """Signals: (lowest, highest) per number, or one pair for all; empty: not checked."""
    scale_m: float = Field(default=0.001, gt=0)
    """Depth: metres per count; 0.001 where depth is in millimetres."""
    quality: int = Field(default=95, ge=1, le=100)
    """Images that are not JPEG already: JPEG quality."""
    subsampling: Literal["auto", "420", "444", "lossless"] = "auto"
    """Images that are not JPEG already: chroma; `auto` is 4:2:0 from 480 lines up and 4:4:4 below."""
    rule: str | None = None
    """Alignment rule: `nearest`, `latest`, `linear`, `slerp`, `angle`…; None: `nearest` for pictures, `linear` for signals."""
    tolerance_ms: float = Field(default=50.0, gt=0)
    """How far from a tick a message may be and still feed it; for interpolation, the longest gap that is bridged."""
    required: bool = True
    """A recording without the channel is refused; else the feature is left out of its episode, on record."""
    expected_rate_hz: float | None = Field(default=None, gt=0)
    """What the channel should run at; None: rate and gaps are measured but not judged."""
    clock: Clock | None = None
    """Only where this channel's clock differs from the profile's."""


class PreviewSpec(_Section):
    """The AV1 preview and the contact sheet."""

    enabled: bool = True
    height: int = Field(default=240, ge=16, le=2160)
    """Lines of each camera's tile in the preview."""
    crf: int = Field(default=35, ge=1, le=63)
    """AV1 constant quality: lower is better and larger."""


class Profile(_Section):
    """Everything bagmill needs to know about one kind of robot."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    robot: str = ""
    task: str = ""
    """What the robot does in these episodes, in words; stored with every episode."""
    clock: Clock = "header"
    """Which of a message's times the timeline is built on."""
    rate_hz: Annotated[Fraction, Field(gt=0, le=100_000)]
    """Ticks a second; a fraction such as `30000/1001` is exact."""
    span: Literal["overlap", "union"] = "overlap"
    """From where to where the ticks reach: as long as all required features last, or as long as any does."""
    features: dict[str, FeatureSpec] = Field(min_length=1)
    checks: dict[str, CheckSpec] = Field(default_factory=dict)
    """By metric name."""
    audit_frames: int = Field(default=16, ge=1)
    """How many frames of every camera the fidelity audit compares with their source."""
    preview: PreviewSpec = PreviewSpec()

    @field_validator("rate_hz", mode="before")
    @classmethod
    def _exact_rate(cls, rate: object) -> object:
        if isinstance(rate, bool) or not isinstance(rate, int | float | str | Fraction):
            raise ValueError("a number of ticks a second, or a fraction such as 30000/1001")  # noqa: TRY004 - pydantic tells ValueErrors
        # str first: Fraction(29.97) would be the binary float's exact value, not 2997/100
        try:
            return Fraction(str(rate))
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"{rate!r} is not a number or a fraction such as 30000/1001") from None

    @model_validator(mode="after")
    def _features_are_sound(self) -> Profile:
        problems: list[str] = []
        for name, spec in self.features.items():
            problems += (f"{problem} @ $.features.{name}" for problem in _problems_of_feature(name, spec))
            if outer := next((other for other in self.features if name.startswith(f"{other}/")), None):
                problems.append(f"a feature cannot lie inside another, `{outer}` @ $.features.{name}")
        if problems:
            raise ProfileError(problems)
        return self

    def canonical(self) -> dict[str, Any]:
        """The profile with every default written out, as plain JSON values: what the episode version is taken over."""
        return self.model_dump(mode="json")


def feature_kind(name: str) -> FeatureKind:
    """The kind that a feature's name says: `images/…`, `depth/…`, or any other for a signal."""
    room = name.partition("/")[0]
    return "image" if room == "images" else "depth" if room == "depth" else "signal"


def rule_of(name: str, spec: FeatureSpec) -> str:
    """The alignment rule a feature is laid on the timeline by, its kind's default where the profile names none."""
    return spec.rule or _DEFAULT_RULES[feature_kind(name)]


def load_profile(path: Path | str) -> Profile:
    """Read and validate a profile.

    Raises:
        ProfileError: It cannot be read or is not valid; every mistake with its place.
    """
    path = Path(path)
    try:
        content = read_mapping(path)
    except ValueError as err:
        raise ProfileError([str(err)], path=path) from err
    return parse_profile(content, path=path)


def parse_profile(content: dict[str, Any], *, path: Path | None = None) -> Profile:
    """Validate a profile's content.

    Raises:
        ProfileError: As `load_profile`.
    """
    try:
        return Profile.model_validate(content)
    except ProfileError as err:
        raise ProfileError(err.problems, path=path, remedy="Mend the profile") from None
    except ValidationError as err:
        raise ProfileError(tell_problems(err), path=path, remedy="Mend the profile") from None


def _problems_of_feature(name: str, spec: FeatureSpec) -> list[str]:
    kind = feature_kind(name)
    problems = []
    if not _NAME.fullmatch(name) or name.partition("/")[0] in _RESERVED:
        problems.append(
            f"a feature's name is made of letters, digits, `_`, `.`, `-` and `/`, and does not begin with "
            f"{', '.join(f'`{word}`' for word in _RESERVED)}"
        )
    if kind != "signal" and name.count("/") != 1:
        problems.append(f"a camera's feature is called `{name.partition('/')[0]}/<camera>`")
    if kind == "signal" and spec.field is None:
        problems.append("a signal needs `field`, the path to its numbers (pictures are called `images/…` or `depth/…`)")
    if kind != "signal" and (spec.field is not None or spec.names or spec.limits):
        problems.append("`field`, `names` and `limits` are for signals")
    if any(low > high for low, high in spec.limits):
        problems.append("`limits` are pairs (lowest, highest)")
    return problems
