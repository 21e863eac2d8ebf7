"""The whole line on a few recordings, through Dagster: `make demo`, or `python -m examples.demo`.

Makes the sample recordings (or takes a folder of yours), writes `var/deployment.yaml`, ingests everything in one run of
job `ingest`, takes a snapshot, and says what became of every episode. What was made before is taken as it stands.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

import dagster as dg
import yaml
from rich.console import Console

from assets import register_new
from bagmill.dataset import Dataset
from bagmill.errors import BagmillError
from bagmill.profile import load_profile
from bagmill.recordings import discover
from examples import sample_recordings
from examples.demo_runs import ingest_episodes, run_job
from examples.demo_table import Ending, ending_of, endings_table, reasons
from examples.sample_recordings.__main__ import main as make_samples
from pipelines.deployment import DEFAULT_PATH, ROOT
from resources.recordings import RecordingsFolder

_VAR = ROOT / "var"
_SAMPLE_PROFILE = ROOT / "examples" / "profiles" / "aloha_demo.yaml"
_REFUSED_SAMPLES = frozenset(sample.name for sample in sample_recordings.SAMPLES if sample.stalls or sample.is_cut)


def main(arguments: list[str] | None = None) -> int:
    """Run the demo.

    Returns:
        The exit code: 0, 1 where something went otherwise than it should, 2 for wrong arguments, 130 where interrupted.
    """
    options = _parser().parse_args(arguments)
    console = Console(markup=False, highlight=False)
    try:
        profile = Path(options.profile).absolute()
        load_profile(profile)
        if options.recordings is None:
            folder = _VAR / "recordings"
            if (code := make_samples(["--out", str(folder)])) != 0:
                return code
        else:
            folder = Path(options.recordings).absolute()
            if problem := _problem_of(folder):
                console.print(problem, style="red")
                return 2
    except BagmillError as err:
        console.print(str(err), style="red")
        return 2
    try:
        return _demonstrate(folder, profile, is_sample=options.recordings is None, console=console)
    except KeyboardInterrupt:
        console.print("Stopped; what is finished is kept.")
        return 130


def _demonstrate(folder: Path, profile: Path, *, is_sample: bool, console: Console) -> int:
    dataset = Dataset(_VAR / "dataset")
    _write_deployment(folder, profile, dataset)
    log = _prepare_dagster_home() / "demo.log"
    recordings = RecordingsFolder(folder=str(folder))
    episodes = recordings.by_episode()
    with dg.DagsterInstance.get() as instance:
        register_new(instance, recordings)
        has_ended = ingest_episodes(instance, list(episodes), log=log, console=console)
        if any(dataset.published(episode) for episode in episodes):
            has_ended &= run_job("take_snapshot", instance, tags={}, num_episodes=0, log=log, console=console)
    endings = {episode: ending_of(dataset, episode) for episode in episodes}
    console.print(endings_table(endings))
    for reason in reasons(endings):
        console.print(reason, soft_wrap=True)
    _say_where_to_look(endings, dataset, console)
    refused = {episode for episode, ending in endings.items() if not ending.is_published}
    if not has_ended:
        console.print(f"Dagster ended before its work was done; what it said is in {log}", style="red")
        return 1
    if is_sample and refused != _REFUSED_SAMPLES:
        wrong = ", ".join(sorted(refused ^ _REFUSED_SAMPLES))
        console.print(f"Refused otherwise than the samples are made for: {wrong}", style="red")
        return 1
    return 0


def _problem_of(folder: Path) -> str | None:
    if not folder.is_dir():
        return f"{folder}: is no folder. Name a folder of recordings."
    if not discover(folder):
        return f"{folder}: no recordings in it. bagmill reads MCAP files, ROS 1 bags and rosbag2 folders."
    return None


def _write_deployment(folder: Path, profile: Path, dataset: Dataset) -> None:
    path = Path(os.environ.setdefault("BAGMILL_DEPLOYMENT", str(DEFAULT_PATH)))
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "recordings": str(folder),
        "dataset": str(dataset.path),
        "profiles": [{"match": "*", "profile": str(profile)}],
    }
    header = "# Written by examples/demo.py; examples/deployment.yaml shows every setting.\n"
    path.write_text(header + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _prepare_dagster_home() -> Path:
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(_VAR / "dagster")))
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "pipelines" / "dagster.yaml", home)
    return home


def _say_where_to_look(endings: dict[str, Ending], dataset: Dataset, console: Console) -> None:
    refused = [episode for episode, ending in endings.items() if not ending.is_published]
    published = [episode for episode in endings if episode not in refused]
    hints = [f"{len(published)} published, {len(refused)} refused, in {dataset.path}", ""]
    hints.append("`make ui` shows it all at http://127.0.0.1:3000/assets")
    if published:
        hints.append(f"  preview, partition {published[0]}: a contact sheet of the frames that training reads")
    for episode in refused:
        checks = endings[episode].blocking_checks
        if checks:
            hints.append(f"  {endings[episode].stage}, check {checks[0]}: the numbers that stopped {episode}")
    hints.append("  snapshot: the table that a training run names, and what was refused")
    console.print("\n".join(hints), soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo",
        description="Ingest recordings through Dagster and say what became of each: samples, or a folder of yours.",
    )
    parser.add_argument("--recordings", help="folder of recordings; without it, samples are made in var/recordings")
    parser.add_argument("--profile", default=str(_SAMPLE_PROFILE), help="what is for what (default: the samples')")
    return parser


if __name__ == "__main__":
    sys.exit(main())
