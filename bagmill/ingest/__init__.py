"""The stages composed: recording → timeline → episode → preview, for one episode.

Belongs here: the order of the stages, what each of them reports, when a finished version is taken as it stands. Stays out:
everything a stage does (its own room), many episodes at once (the caller's: a shell loop, a batch of Dagster's).
"""

from bagmill.ingest.duplicate import place_of
from bagmill.ingest.line import ingest
from bagmill.ingest.memory import FinishedEpisode, attempt_name, is_same_attempt, name_of_failure, split_finished
from bagmill.ingest.request import IngestOutcome, IngestRequest, Progress, blank_report, wanted_stages

__all__ = [
    "FinishedEpisode",
    "IngestOutcome",
    "IngestRequest",
    "Progress",
    "attempt_name",
    "blank_report",
    "ingest",
    "is_same_attempt",
    "name_of_failure",
    "place_of",
    "split_finished",
    "wanted_stages",
]
