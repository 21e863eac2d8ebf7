"""What episodes load only once they need it: loaded by the server, for all the children that follow."""

from __future__ import annotations

import PIL.Image

from bagmill.alignment.rules import RULES
from bagmill.quality import METRICS


def warm_up() -> None:
    """Load it: half a second, which every child after this one saves. Starts no thread."""
    import matplotlib.colors  # noqa: F401, PLC0415 - colours of depth; too slow to be loaded by every command
    import numpy.ma  # noqa: F401, PLC0415

    PIL.Image.init()
    for registry in (METRICS, RULES):
        len(registry)  # its entry points
