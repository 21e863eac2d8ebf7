"""Whether everything in a dataset is still what was written, and what of it can be made again.

Belongs here: the walk over all that a dataset holds, what is found damaged, and how each of it is mended. Stays out: how a
thing is checked that has a room of its own (an episode's arrays: `episodes.verify`; a table, a report: `dataset`), and how it is
made (`ingest`, `previews`).
"""

from bagmill.health.finding import Finding, HealthReport, Kind
from bagmill.health.repair import Mended, repair
from bagmill.health.turns import Turn, save_turn, take_turn
from bagmill.health.verify import verify_dataset

__all__ = ["Finding", "HealthReport", "Kind", "Mended", "Turn", "repair", "save_turn", "take_turn", "verify_dataset"]
