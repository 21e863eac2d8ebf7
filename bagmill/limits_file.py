"""Limits that a YAML file sets, for the command line and for scripts: one entry a line, `pixels: 500_000_000`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bagmill.errors import SettingsError
from bagmill.limits import Limits
from bagmill.local_paths import local_path
from bagmill.yaml_files import read_mapping, tell_problems

VARIABLE: Final = "BAGMILL_LIMITS"
"""The environment's variable that names the file."""


def load_limits(path: Path | str | None = None) -> Limits:
    """The limits that a file sets; the defaults where none is named.

    Args:
        path: None: the one that `BAGMILL_LIMITS` names, if it names one.

    Raises:
        AddressError: It is an address, not a path on this machine.
        SettingsError: It cannot be read or is not valid.
    """
    named = path or os.environ.get(VARIABLE)
    if not named:
        return Limits()
    file = local_path(named)
    try:
        return Limits.model_validate(read_mapping(file))
    except ValidationError as err:
        raise SettingsError(
            "; ".join(tell_problems(err)), path=file, remedy="docs/limits.md lists every limit with its default"
        ) from None
    except ValueError as err:
        raise SettingsError(str(err), path=file) from err
