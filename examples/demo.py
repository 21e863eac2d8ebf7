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
from bagmill.local_paths import local_path
from bagmill.profile import load_profile
from bagmill.recordings import discover
from examples import sample_recordings
from examples.demo_runs import ingest_episodes, run_job
from examples.demo_table import Ending, ending_of, endings_table, reasons
from examples.sample_recordings.__main__ import main as make_samples
from pipelines.deployment import ROOT
from resources.recordings import RecordingsFolder

_SAMPLE_PROFILE = ROOT / "examples" / "profiles" / "aloha_demo.yaml"
_MOST_HINTS = 3
_REFUSED_SAMPLES = frozenset(sample.name for sample in sample_recordings.SAMPLES if sample.stalls or sample.is_cut)


def main(arguments: list[str] | None = None) -> int:
    """Run the demo.

    Returns:
        The exit code: 0, 1 where something went otherwise than it should, 2 for wrong arguments, 130 where interrupted.
    """
    options = _parser().parse_args(arguments)
    console = Console(markup=False, highlight=False)
    try:
        out = local_path(options.out).absolute()
        profile = local_path(options.profile).absolute()
        load_profile(profile)
        if options.recordings is None:
            folder = out / "recordings"
            if (code := make_samples(["--out", str(folder)])) != 0:
                return code
        else:
            folder = local_path(options.recordings).absolute()
            if problem := _problem_of(folder):
                console.print(problem, style="red")
                return 2
    except BagmillError as err:
        console.print(str(err), style="red")
        return 2
    try:
        return _demonstrate(folder, profile, out=out, is_sample=options.recordings is None, console=console)
    except KeyboardInterrupt:
        console.print("Stopped; what is finished is kept.")
        return 130


def _demonstrate(folder: Path, profile: Path, *, out: Path, is_sample: bool, console: Console) -> int:
    dataset = Dataset(out / "dataset")
    _write_deployment(out / "deployment.yaml", folder=folder, profile=profile, dataset=dataset)
    log = _prepare_dagster_home(out / "dagster") / "demo.log"
    recordings = RecordingsFolder(folder=str(folder))
    episodes = list(recordings.look())
    with dg.DagsterInstance.get() as instance:
        register_new(instance, recordings)
        has_ended = ingest_episodes(instance, episodes, log=log, console=console)
        if any(dataset.published(episode) for episode in episodes):
            has_ended &= run_job("take_snapshot", instance, tags={}, num_episodes=0, log=log, console=console)
    endings = {episode: ending_of(dataset, episode) for episode in episodes}
    console.print()
    console.print(endings_table(endings))
    console.print()
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


def _write_deployment(path: Path, *, folder: Path, profile: Path, dataset: Dataset) -> None:
    os.environ["BAGMILL_DEPLOYMENT"] = str(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "recordings": str(folder),
        "dataset": str(dataset.path),
        "profiles": [{"match": "*", "profile": str(profile)}],
    }
    header = "# Written by examples/demo.py; examples/deployment.yaml shows every setting.\n"
    path.write_text(header + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _prepare_dagster_home(home: Path) -> Path:
    os.environ["DAGSTER_HOME"] = str(home)
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "pipelines" / "dagster.yaml", home)
    return home


def _say_where_to_look(endings: dict[str, Ending], dataset: Dataset, console: Console) -> None:
    published = [episode for episode, ending in endings.items() if ending.is_published]
    filmed = [episode for episode in published if endings[episode].has_cameras]
    blocked = [episode for episode, ending in endings.items() if ending.blocking_checks]
    num_refused = len(endings) - len(published)
    hints = [f"{len(published)} published, {num_refused} refused, in {dataset.path}", ""]
    hints.append("`make ui` shows it all at http://127.0.0.1:3000/assets")
    if filmed:
        hints.append(f"  episode, partition {filmed[0]}: a contact sheet of the frames that training reads")
    for episode in blocked[:_MOST_HINTS]:
        stage, check = endings[episode].stage, endings[episode].blocking_checks[0]
        hints.append(f"  {stage}, check {check}, partition {episode}: the numbers that stopped it")
    hints.append("  snapshot: the table that a training run names, and what was refused")
    console.print("\n".join(hints), soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo",
        description="Ingest recordings through Dagster and say what became of each: samples, or a folder of yours.",
    )
    parser.add_argument("--recordings", help="folder of recordings; without it, samples are made")
    parser.add_argument(
        "--profile",
        default=str(_SAMPLE_PROFILE),
        help="which channel becomes which feature (default: the samples' profile)",
    )
    parser.add_argument("--out", default=str(ROOT / "var"), help="folder that everything goes to (default: var)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
