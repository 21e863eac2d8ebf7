"""The profile: what a user writes, in YAML, for one kind of robot.

It says which channel and field becomes which feature, by which clock, at which rate and tolerance, and what quality is asked.
`load_profile` validates it whole; whether it fits a given recording is `bagmill.plan`'s question.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bagmill.definitions import GivenDefinitions, read_definitions
from bagmill.errors import ProfileError
from bagmill.local_paths import local_path
from bagmill.profile_numbers import ChannelRate, MetresPerCount, Milliseconds, Number, Rate, WholeNumber
from bagmill.yaml_files import read_mapping, tell_problems

Clock = Literal["header", "log", "publish"]
FeatureKind = Literal["image", "depth", "signal"]
Severity = Literal["error", "warn", "off"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
MOST_IN_NAME = 200
"""Characters of what becomes a file's or folder's name."""
MOST_FEATURES = 1000
_METADATA_FILE = "zarr.json"
_RESERVED = ("time", "source", "valid", "interpolated", "sequence")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _read_definitions(said: object, info: ValidationInfo) -> object:
    """The definitions in the folder that a profile names."""
    if said is None or isinstance(said, GivenDefinitions):
        return said
    if not isinstance(said, str):
        raise ValueError(f"expected the path of a folder, found {type(said).__name__}")  # noqa: TRY004 - pydantic tells ValueErrors
    folder = (info.context or {}).get("folder", Path())
    try:
        said.encode()
        return read_definitions(folder / Path(said).expanduser(), place=said)
    except ProfileError as err:
        raise ValueError(err.sentence.removesuffix(".") + (f" ({err.remedy})" if err.remedy else "")) from err
    except (OSError, ValueError) as err:  # a name that no file can have
        raise ValueError(f"no folder can be called {said[:60]!r}") from err


Definitions = Annotated[
    GivenDefinitions,
    BeforeValidator(_read_definitions),
    PlainSerializer(lambda given: None if given is None else given.digest, return_type=str | None),
]
"""The path of a folder in a profile's file; its content from then on, and the content's hash where the profile is written out."""


class CheckSpec(_Section):
    """How one check is to be judged; what is left out keeps the metric's own default."""

    threshold: Number | None = None
    """In the metric's unit; `bagmill metrics` lists them."""
    severity: Severity | None = None
    """`error` blocks what is downstream, `warn` only tells, `off` does not measure."""

    @field_validator("severity", mode="before")
    @classmethod
    def _off_is_no_boolean(cls, severity: object) -> object:
        # YAML 1.1 reads a bare `off` as false.
        return "off" if severity is False else severity


class StampSpec(_Section):
    """A number inside the messages that says when they were measured, for messages without a header."""

    field: str
    """Path to it: `timestamp`, `transforms[child_frame_id=tool].header.stamp`."""
    unit: Literal["s", "ms", "us", "ns"] = "ns"
    """What the number counts; a point in time of the message's own format needs none."""
    epoch: Literal["unix", "boot"] = "unix"
    """What it counts from: `unix` is 1970; `boot` any other instant, which is found by the fastest of the recording's
    messages."""


class PartSpec(_Section):
    """Where some of a signal's numbers come from, and how they are laid on the timeline."""

    channel: str
    """Topic, as recorded."""
    field: str
    """Path to the numbers inside a message: `position`, `data[0:3]`, `transforms[child_frame_id=tool].transform`."""
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$", max_length=MOST_IN_NAME)
    """What the part's columns are called by, and its lineage: `gripper`."""
    names: tuple[str, ...] = ()
    """Messages that name their numbers: which, in which order; empty: all, in the order in which they first appear."""
    by: Literal["name", "place"] | None = None
    """Whether the numbers run parallel to the message's list of names; None: as the message's definition shows."""
    units: str | None = None
    """Unit of the numbers, kept as an attribute (`rad`, `m/s`)."""
    rule: str | None = None
    """Alignment rule: `nearest`, `latest`, `linear`, `slerp`, `angle`…; None: `latest` for booleans and whole numbers, `slerp`
    for a quaternion by its definition, `linear` for others."""
    tolerance_ms: Milliseconds | None = None
    """As of the feature; None: the feature's."""
    clock: Clock | None = None
    """Only where this channel's clock differs from the profile's."""
    stamp: StampSpec | None = None
    """The number that is read as the header stamp."""
    expected_rate_hz: ChannelRate | None = None
    """What the channel should run at; None: rate and gaps are measured but not judged."""
    nan: Literal["refuse", "invalid"] | None = None
    """What a number that is none means: `refuse` (the default): garbage, which a check fails; `invalid`: not measured, the
    tick is marked so."""
    infinity: Literal["refuse", "keep"] | None = None
    """What an infinite number means: `refuse` (the default): garbage; `keep`: a value, as a laser's "nothing in range"."""


class FeatureSpec(_Section):
    """One feature: where it comes from and how it is laid on the timeline.

    A signal may be put together from several `parts`; what is said here then holds for each that does not say otherwise.
    """

    channel: str | None = None
    """Topic, as recorded."""
    field: str | None = None
    """Signals: see `PartSpec`; likewise the settings of the same name below."""
    names: tuple[str, ...] = ()
    by: Literal["name", "place"] | None = None
    parts: tuple[PartSpec, ...] = Field(default=(), max_length=1000)
    """Signals: the columns of the first part come first."""
    units: str | None = None
    dtype: Literal["float32", "float64"] | None = None
    """Signals: how they are stored; None: float32 where it holds every number of the recorded type exactly, else float64."""
    limits: tuple[tuple[Number, Number], ...] = ()
    """Signals: (lowest, highest) per number, or one pair for all; empty: not checked."""
    scale_m: MetresPerCount = 0.001
    """Depth: metres per count; 0.001 where depth is in millimetres."""
    quality: WholeNumber = Field(default=95, ge=1, le=100)
    """Images that are not JPEG already: JPEG quality."""
    subsampling: Literal["auto", "420", "444", "lossless"] = "auto"
    """Images that are not JPEG already: chroma; `auto` is 4:2:0 from 480 lines up and 4:4:4 below."""
    rule: str | None = None
    """Alignment rule; None: `nearest` for pictures, for signals see `PartSpec`."""
    tolerance_ms: Milliseconds = 50.0
    """How far from a tick a message may be and still feed it; for interpolation, the longest gap that is bridged."""
    required: bool = True
    """A recording without the channel is refused; else the feature is left out of its episode, on record."""
    expected_rate_hz: ChannelRate | None = None
    clock: Clock | None = None
    stamp: StampSpec | None = None
    nan: Literal["refuse", "invalid"] | None = None
    infinity: Literal["refuse", "keep"] | None = None

    @model_validator(mode="after")
    def _has_a_channel(self) -> FeatureSpec:
        if self.channel is None and not self.parts:
            raise ValueError("`channel`, the topic it is taken from, is missing")
        return self

    @property
    def sources(self) -> tuple[PartSpec, ...]:
        """The parts with everything that the feature says for them; of a feature without parts, itself as one."""
        if not self.parts:
            return (self._as_part(),)
        return tuple(
            part.model_copy(
                update={name: getattr(self, name) for name in _INHERITED if getattr(part, name) is None},
            )
            for part in self.parts
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """The topics that it is made from, each once."""
        return tuple(dict.fromkeys(part.channel for part in self.parts)) if self.parts else (self.channel or "",)

    def _as_part(self) -> PartSpec:
        return PartSpec.model_construct(
            channel=self.channel or "",
            field=self.field or "",
            name=None,
            names=self.names,
            by=self.by,
            **{name: getattr(self, name) for name in _INHERITED},
        )


_INHERITED = ("units", "rule", "tolerance_ms", "clock", "stamp", "expected_rate_hz", "nan", "infinity")


class PreviewSpec(_Section):
    """The AV1 preview and the contact sheet."""

    enabled: bool = True
    height: WholeNumber = Field(default=240, ge=16, le=2160)
    """Lines of each camera's tile in the preview."""
    crf: WholeNumber = Field(default=35, ge=1, le=63)
    """AV1 constant quality: lower is better and larger."""


class Profile(_Section):
    """Everything bagmill needs to know about one kind of robot."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=MOST_IN_NAME)
    robot: str = ""
    task: str = ""
    """What the robot does in these episodes, in words; stored with every episode."""
    clock: Clock = "header"
    """Which of a message's times the timeline is built on."""
    rate_hz: Rate
    """Ticks a second; a fraction such as `30000/1001` is exact."""
    span: Literal["overlap", "union"] = "overlap"
    """From where to where the ticks reach: as long as all required features last, or as long as any does."""
    features: dict[str, FeatureSpec] = Field(min_length=1, max_length=MOST_FEATURES)
    checks: dict[str, CheckSpec] = Field(default_factory=dict)
    """By metric name."""
    definitions: Definitions | None = None
    """A folder of .msg and .idl files, for recordings that do not define their messages; relative to the profile's file. What is
    in it is part of an episode's version, not where it lies."""
    salvage: bool = False
    """Read what is whole in a damaged recording instead of refusing it; what is missing is told with the episode."""
    audit_frames: WholeNumber = Field(default=16, ge=1, le=1024)
    """How many frames of every camera the fidelity audit compares with their source."""
    preview: PreviewSpec = PreviewSpec()

    @field_validator("features", mode="before")
    @classmethod
    def _lists_are_parts(cls, features: object) -> object:
        if not isinstance(features, dict):
            return features
        return {name: {"parts": spec} if isinstance(spec, list) else spec for name, spec in features.items()}

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
        """The profile with every default written out, as plain JSON values: what the episode version is taken over.

        Left out is `salvage` where it is off, so that profiles from before there was salvage keep their versions.
        """
        content = self.model_dump(mode="json")
        if not self.salvage:
            del content["salvage"]
        return content


def feature_kind(name: str) -> FeatureKind:
    """The kind that a feature's name says: `images/…`, `depth/…`, or any other for a signal."""
    room = name.partition("/")[0]
    return "image" if room == "images" else "depth" if room == "depth" else "signal"


def load_profile(path: Path | str) -> Profile:
    """Read and validate a profile.

    Raises:
        AddressError: It is an address, not a path on this machine.
        ProfileError: It cannot be read or is not valid; every mistake with its place.
    """
    path = local_path(path)
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
        return Profile.model_validate(content, context={"folder": path.parent if path else Path()})
    except ProfileError as err:
        raise ProfileError(err.problems, path=path, remedy="Mend the profile") from None
    except ValidationError as err:
        raise ProfileError(tell_problems(err), path=path, remedy="Mend the profile") from None


def _problems_of_feature(name: str, spec: FeatureSpec) -> list[str]:
    kind = feature_kind(name)
    problems = []
    if any(len(part) > MOST_IN_NAME for part in name.split("/")):
        problems.append(f"a part of a feature's name has at most {MOST_IN_NAME} characters")
    if _METADATA_FILE in name.split("/"):
        problems.append(
            f"no part of a feature's name is `{_METADATA_FILE}`: so are the files called that describe an episode"
        )
    if not _NAME.fullmatch(name) or name.partition("/")[0] in _RESERVED:
        problems.append(
            f"a feature's name is made of letters, digits, `_`, `.`, `-` and `/`, and does not begin with "
            f"{', '.join(f'`{word}`' for word in _RESERVED)}"
        )
    if kind != "signal" and name.count("/") != 1:
        problems.append(f"a camera's feature is called `{name.partition('/')[0]}/<camera>`")
    if kind == "signal":
        problems += _problems_of_parts(spec)
    elif spec.parts or any(getattr(spec, key) for key in ("field", "names", "limits", "nan", "infinity")):
        problems.append("`field`, `names`, `parts`, `limits`, `nan` and `infinity` are for signals")
    if any(low > high for low, high in spec.limits):
        problems.append("`limits` are pairs (lowest, highest)")
    return problems


def _problems_of_parts(spec: FeatureSpec) -> list[str]:
    if not spec.parts:
        needs = "a signal needs `field`, the path to its numbers (pictures are called `images/…` or `depth/…`)"
        return [] if spec.field is not None else [needs]
    problems = []
    if doubled := [key for key in ("channel", "field", "names", "by") if getattr(spec, key)]:
        problems.append(f"{' and '.join(f'`{key}`' for key in doubled)} belong to the parts where there are `parts`")
    names = [part.name for part in spec.parts if part.name is not None]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"two parts are called {', '.join(twice)}")
    return problems
