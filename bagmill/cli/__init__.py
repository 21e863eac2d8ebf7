"""The command line: `bagmill scan`, `profile`, `ingest`, `show`, `verify`, `snapshot`, `stats`, `export`, `prune`, `metrics`.

Belongs here: one file a verb, what it prints as tables and as JSON, progress on the screen, exit codes. Stays out:
every decision about data; a verb calls the library and tells what it said.
"""

from bagmill.cli.app import main, run

__all__ = ["main", "run"]
