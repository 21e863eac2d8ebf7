"""Who does the work: the seam between Dagster's step and the engine that ingests episodes.

An asset hands all its requests over at once and takes the results as they come. Another engine (a cluster's scheduler,
say) is another subclass of `Workers`; nothing else changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import dagster as dg

from bagmill.ingest import IngestRequest
from bagmill.workers import Results, ingest_in_children


class Workers(dg.ConfigurableResource[None], ABC):
    """An engine that ingests episodes."""

    @abstractmethod
    def ingest_all(self, requests: Sequence[IngestRequest]) -> Results:
        """Ingest episodes, in whatever order they are done; exactly one result a request, none raised.

        Closing the iterator ends the work that is under way.
        """


class LocalWorkers(Workers):
    """Processes on this machine, one for each episode; what they may take is in `limits`."""

    processes: int | None = None
    """Episodes made at once; None: one a core."""
    threads: int | None = None
    """Threads that encode, per episode; None: the cores, shared out evenly."""

    def ingest_all(self, requests: Sequence[IngestRequest]) -> Results:
        """As `Workers.ingest_all`."""
        return ingest_in_children(requests, processes=self.processes, threads=self.threads)
