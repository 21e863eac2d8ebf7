"""The option `--definitions`: message definitions for recordings that hold none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DefinitionsOption = Annotated[
    Path | None,
    typer.Option(
        "--definitions",
        metavar="FOLDER",
        help="Folder of .msg or .idl files, such as a workspace, for messages that the recording does not define.",
    ),
]
