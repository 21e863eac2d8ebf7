"""The command line: `python -m benchmarks.drafts --folder DIR --json FILE`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bagmill.recordings import discover
from bagmill.testing import healthy
from bagmill.testing.faults import with_backward_stamps, with_frozen_frames, with_gap, with_nan_joints
from benchmarks.drafts.trial import Trial, try_draft
from benchmarks.program import make_parser, publish
from benchmarks.table import Column, Table

_BESIDE: Final = Path(__file__).resolve().parents[3] / "shared" / "recordings"

_TRAINABLE: Final = (
    Column("recording", "recording"),
    Column("rate_hz", "rate, Hz", "g"),
    Column("features", "features"),
    Column("used_percent", "messages used, %", ".0f"),
    Column("kept_percent", "time kept, %", ".0f"),
    Column("outcome", "published, or the reason"),
)
_OTHERS: Final = (Column("recording", "recording"), Column("num_recordings", "recordings"), Column("reason", "reason"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trials.

    Returns:
        The exit code: 1 where no recording was found.
    """
    parser = make_parser("drafts", "Recordings ingested by the profile drafted for them, unedited.")
    parser.add_argument(
        "--folder",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="with recordings, at any depth (default: $BAGMILL_RECORDINGS; samples where there is none)",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bagmill-bench-") as samples:
        folders = options.folder or [_recordings(Path(samples))]
        trials = [trial for folder in folders for trial in _try_all(folder)]
    if not trials:
        print(f"{', '.join(map(str, folders))}: no recordings there; name folders with --folder")
        return 1
    trainable = [trial for trial in trials if trial.is_trainable]
    num_published = sum(trial.is_published for trial in trainable)
    share = f"{100 * num_published / len(trainable):.0f} %" if trainable else "none to publish"
    notes = [
        f"Published from the unedited draft: {num_published} of {len(trainable)} trainable recordings ({share}).",
        "Messages used: those that feed a tick, of all on the features' channels. Time kept: from the first tick to the "
        "last, of the time between the first and the last of those messages.",
    ]
    tables = [
        Table("Trainable recordings", _TRAINABLE, [_row(trial) for trial in trainable], notes),
        Table("Recordings without anything to train on", _OTHERS, list(_grouped(trials))),
    ]
    settings = {"folders": [folder.name for folder in folders], "num_recordings": len(trials)}
    publish("drafts", tables, options=options, settings=settings, samples={})
    return 0


def _recordings(samples: Path) -> Path:
    """The folder of real recordings; one of small samples, healthy and faulty, where there is none."""
    real = Path(os.environ.get("BAGMILL_RECORDINGS", _BESIDE))
    if real.is_dir():
        return real
    healthy(samples / "healthy.mcap")
    for fault in (with_gap, with_nan_joints, with_frozen_frames, with_backward_stamps):
        fault(samples / f"{fault.__name__}.mcap")
    return samples


def _try_all(folder: Path) -> Iterator[Trial]:
    for recording in discover(folder):
        with tempfile.TemporaryDirectory(prefix="bagmill-bench-") as workspace:
            name = recording.relative_to(folder).as_posix()
            yield try_draft(recording, name=name, workspace=Path(workspace) / "dataset")


def _row(trial: Trial) -> dict[str, Any]:
    row = asdict(trial)
    return row | {"outcome": "published" if trial.is_published else trial.reason.replace("|", "\\|")}


def _grouped(trials: Iterable[Trial]) -> Iterator[dict[str, Any]]:
    """One row for all recordings of a folder that were refused for one reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for trial in trials:
        if not trial.is_trainable:
            groups.setdefault((trial.recording.partition("/")[0], trial.reason), []).append(trial.recording)
    for (folder, reason), names in groups.items():
        name = names[0] if len(names) == 1 else f"{folder}/…"
        yield {"recording": name, "num_recordings": len(names), "reason": reason}


if __name__ == "__main__":
    sys.exit(main())
