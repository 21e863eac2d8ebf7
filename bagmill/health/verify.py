"""A look through a whole dataset, or through the part of it whose turn it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

from bagmill.cores import usable_cores
from bagmill.dataset import Dataset
from bagmill.dataset.folder import names_ending
from bagmill.dataset.json_records import from_json
from bagmill.dataset.known_recordings import SCHEMA as KNOWN_SCHEMA
from bagmill.dataset.known_recordings import KnownRecording
from bagmill.dataset.leftovers import find_leftovers
from bagmill.dataset.whole_file import read_file
from bagmill.health.finding import Finding, HealthReport, Kind
from bagmill.health.of_episode import EpisodeCheck
from bagmill.health.tables import is_sealed, table_checks
from bagmill.health.turns import Turn

Progress = Callable[[str, int, int], None]
"""Told what is looked at, how much of it is done, and how much there is."""

_ORDER = {kind: place for place, kind in enumerate(get_args(Kind))}


def verify_dataset(
    dataset: Dataset, *, turn: Turn | None = None, num_threads: int | None = None, progress: Progress | None = None
) -> HealthReport:
    """Read everything in a dataset and compare it with its checksums; nothing is changed.

    Args:
        dataset: Which.
        turn: Only the episodes of this part; snapshots, names, statistics and nights are few and read every time.
            None: all.
        num_threads: Episodes that are read at once; None: one a core.
        progress: Called now and then, from the thread that called this.

    Returns:
        All that is damaged; never stops at the first.

    Raises:
        StorageError: A folder cannot be listed.
    """
    told = progress or (lambda *_: None)
    checked: Counter[Kind] = Counter()
    findings: list[Finding] = []
    num_without = 0
    tables = table_checks(dataset)
    for done, (kind, path, check) in enumerate(tables, 1):
        checked[kind] += 1
        num_without += not is_sealed(path)
        findings += check()
        told("snapshots and nights", done, len(tables))
    episodes = [each for each in _episodes(dataset) if turn is None or turn.has(each)]
    for done, found in enumerate(_look_at(dataset, episodes, num_threads or usable_cores()), 1):
        checked.update(found.num_checked)
        num_without += found.num_without_checksum
        findings += found.findings
        told("episodes", done, len(episodes))
    if turn is None or turn.number == 0:
        num_notes, damaged = _damaged_notes(dataset)
        checked["recording note"] += num_notes
        findings += damaged
        findings += [
            Finding("leftover", path, "a run that was interrupted has left it", "Repair and prune remove it")
            for path in find_leftovers(dataset)
        ]
    findings.sort(key=lambda each: (_ORDER[each.kind], each.episode or "", str(each.path)))
    return HealthReport(dict(checked), num_without, tuple(findings))


def _look_at(dataset: Dataset, episodes: Iterable[str], num_threads: int) -> Iterator[EpisodeCheck]:
    def look(episode: str) -> EpisodeCheck:
        check = EpisodeCheck(dataset, episode)
        check.run()
        return check

    with ThreadPoolExecutor(num_threads, thread_name_prefix="verify") as pool:
        yield from pool.map(look, episodes)


def _episodes(dataset: Dataset) -> list[str]:
    """Names of all episodes that have left anything, refused ones too."""
    return sorted({*dataset.episodes(), *dataset.reported_episodes(), *dataset.quarantined()})


def _damaged_notes(dataset: Dataset) -> tuple[int, list[Finding]]:
    """How many notes of known recordings there are, and those that cannot be read."""
    paths = [dataset.recordings_dir / f"{name}.json" for name in names_ending(dataset.recordings_dir, ".json")]
    remedy = "Repair removes it: the next scan of the recording notes it anew"
    found = []
    for path in paths:
        try:
            from_json(read_file(path), KnownRecording, schema=KNOWN_SCHEMA)
        except FileNotFoundError:
            continue
        except OSError as err:
            found.append(Finding("recording note", path, f"cannot be read ({err.strerror})", remedy))
        except ValueError as err:
            found.append(Finding("recording note", path, str(err), remedy))
    return len(paths), found
