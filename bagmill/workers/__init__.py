"""Child processes for work on recordings, one for each: whatever a recording does to its process costs that recording only.

Belongs here: the server that forks them, their limits of memory and of silence, how one that died is told apart, and what it
leaves. Stays out: the work itself (`ingest`, `streams`), what one piece may cost (`limits`), who asks (`cli`, or a deployment).
"""

from bagmill.workers.crash import Crash
from bagmill.workers.episodes import Results, ingest_in_children, refuse_crash
from bagmill.workers.guarded import run_guarded
from bagmill.workers.server import end_servers

__all__ = [
    "Crash",
    "Results",
    "end_servers",
    "ingest_in_children",
    "refuse_crash",
    "run_guarded",
]
