"""YAML files that people write: read, and every mistake in them told with its place.

What a file must hold is the business of the pydantic model that reads it (`profile`, a deployment's settings).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that a file holds; empty for an empty file.

    Raises:
        ValueError: It cannot be read, or holds something else; says what, as a clause.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise ValueError(f"cannot be read ({err.strerror})") from err
    except UnicodeDecodeError as err:
        raise ValueError("is not UTF-8 text") from err
    except (yaml.YAMLError, ValueError, RecursionError) as err:  # 2026-13-45 is a ValueError of the date's own
        said = " ".join(str(err).split())
        hint = '; a path with [ ] in it needs quotes: `field: "motors[:].q"`' if "flow mapping" in said else ""
        raise ValueError(f"is not YAML: {said}{hint}") from err
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"expected a mapping at the top, found {type(content).__name__}")  # noqa: TRY004 - of a file
    return content


def tell_problems(err: ValidationError) -> list[str]:
    """Every mistake that a model found, as `what is wrong @ $.where.it.is`."""
    return [f"{_say(error)} @ {_place(error['loc'])}" for error in err.errors(include_url=False)]


def _say(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "required, but not there"
        case "extra_forbidden":
            return "no such setting"
    return str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ").strip()


def _place(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
