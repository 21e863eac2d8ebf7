"""A recipe's plain values, checked: it is a file that anybody may have written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bagmill.errors import TrainingError
from bagmill.yaml_files import tell_problems

_MOST_STEPS: Final = 100_000
_Tick = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_Second = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
_Pixels = Annotated[int, Field(ge=1, le=65_535)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


T = TypeVar("T", bound=_Strict)


class WindowRecipe(_Strict):
    """A `Window`, as `Window.as_json` gives it."""

    ticks: list[_Tick] = Field(default_factory=list, max_length=_MOST_STEPS)
    seconds: list[_Second] = Field(default_factory=list, max_length=_MOST_STEPS)
    tolerance_s: Annotated[float, Field(ge=0, le=1e6)] | None = None

    def arguments(self) -> dict[str, Any]:
        """Of `Window`."""
        return self.model_dump(exclude_none=True)


class DatasetRecipe(_Strict):
    """An `EpisodeDataset`, as its `recipe` gives it; nothing else of what its constructor takes can be said in one."""

    dataset: str
    snapshot: str
    where: str | None = None
    split: str | None = None
    padding: str = "edge"
    only_valid: bool | list[str] = False
    features: list[str] | None = None
    windows: dict[str, WindowRecipe]
    image_size: dict[str, Annotated[list[_Pixels], Field(min_length=2, max_length=2)]]
    fit: str = "stretch"
    resampling: str = "bilinear"


class SourceRecipe(_Strict):
    """One source of a mixture."""

    weight: str | int | float
    dataset: dict[str, Any]


class MixtureRecipe(_Strict):
    """A `Mixture`, as its `recipe` gives it."""

    mixture: list[SourceRecipe]
    seed: int
    num_samples: Annotated[int, Field(ge=1, lt=2**63)] | None


def checked_recipe(model: type[T], recipe: object, *, noun: str, other: str) -> T:
    """A recipe that says what it has to, and no more.

    Args:
        model: What it has to say.
        recipe: As it was read.
        noun: "dataset" or "mixture".
        other: What to do where it is a recipe of something else.

    Raises:
        TrainingError: It does not.
    """
    said = recipe if isinstance(recipe, Mapping) else {}
    if missing := {name for name, field in model.model_fields.items() if field.is_required()} - said.keys():
        raise TrainingError(f"is no recipe of a {noun}: it has no {', '.join(sorted(missing))}", remedy=other)
    try:
        return model.model_validate(dict(said))
    except ValidationError as err:
        problems = "; ".join(tell_problems(err)[:5])
        raise TrainingError(f"is no recipe of a {noun}: {problems}", remedy="Take it again by `recipe()`") from err
