"""The command line: `python -m benchmarks.fleet --json FILE`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

from assets.batch import MAX_EPISODES_PER_RUN
from bagmill.quality import STAGES
from bagmill.testing import Settings, healthy, small_profile
from benchmarks.fleet.pages import Samples, fleet_pages, has_browser, measure_pages
from benchmarks.fleet.service import Service, serve, wait_for
from benchmarks.folders import add_folder_option, working_folder
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.scale.deployment import copy_as_another
from benchmarks.table import Column, Record, Table

_ROOT: Final = Path(__file__).resolve().parents[2]
_SENSOR: Final = "arrivals"
_ROBOTS, _PER_DAY = 20, 50
_NUM_FRAMES: Final = 15
_FEATURES: Final = ("images/cam_high", "state", "action")
"""Of the recordings' five: what is measured is the deployment, not the encoder."""
_EPISODE_BYTES: Final = 600_000
_HOURS: Final = 3600.0
_COLUMNS: Final = (Column("what", "what"), Column("value", "value", ",.2f"), Column("unit", "unit"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = make_parser("fleet", "Many recordings arriving at once, and a backfill over all of them, through Dagster.")
    add_folder_option(parser)
    parser.add_argument("--count", type=int, help="recordings (default: 10000; quick: 60)")
    parser.add_argument(
        "--dagster-yaml",
        type=Path,
        default=_ROOT / "pipelines" / "dagster.yaml",
        help="the instance's settings: another database, say (default: the embedded one)",
    )
    options = parser.parse_args(arguments)
    count = options.count or (60 if options.quick else 10_000)
    with working_folder(options.folder, needed_bytes=count * _EPISODE_BYTES) as (folder, medium):
        home, settings = _lay_out(folder, options.dagster_yaml)
        with serve(home, settings) as service:
            episodes, arrival_rows, ticks = _arrive(service, folder, count)
            backfill_rows, memory = _backfill(service, episodes)
            tables = [Table("Arrivals", _COLUMNS, arrival_rows), Table("Backfill", _COLUMNS, backfill_rows)]
            database = sum(file.stat().st_size for file in (home / "history").rglob("*") if file.is_file())
            backfill_rows.append({"what": "SQLite files", "value": database / 1e6, "unit": "MB"})
            page_samples: Samples = {}
            if has_browser():
                pages = fleet_pages(episodes[count // 2], num_episodes=count)
                table, page_samples = measure_pages(service.address, pages, num_rounds=num_rounds(options))
                tables.append(table)
            else:
                print("pages are not measured: there is no Chromium with its driver", file=sys.stderr)
    facts = {
        "num_episodes": count,
        "features": list(_FEATURES),
        "num_frames": _NUM_FRAMES,
        "files": medium,
        "dagster_yaml": options.dagster_yaml.name,
    }
    samples = {"ticks": ticks, "daemon_rss_mib": memory, "pages": page_samples}
    publish("fleet", tables, options=options, settings=facts, samples=samples)
    return 0


def _lay_out(folder: Path, dagster_yaml: Path) -> tuple[Path, Path]:
    home, settings = folder / "dagster", folder / "deployment.yaml"
    home.mkdir()
    (folder / "recordings").mkdir()
    shutil.copyfile(dagster_yaml, home / "dagster.yaml")
    profile = {**small_profile(), "preview": {"enabled": False}}
    profile["features"] = {name: profile["features"][name] for name in _FEATURES}
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    content = {
        "profiles": [{"match": "*", "profile": "profile.yaml"}],
        "arrivals": {"ingest": "at_night"},  # the backfill is what is measured
    }
    settings.write_text(yaml.safe_dump(content), encoding="utf-8")
    return home, settings


def _arrive(service: Service, folder: Path, count: int) -> tuple[list[str], list[Record], list[dict[str, object]]]:
    """All recordings at once, in folders by robot and day; until the last has its partition."""
    template = folder / "template.mcap"
    healthy(template, settings=Settings(num_frames=_NUM_FRAMES))
    for n in range(count):
        robot, day = n % _ROBOTS, n // (_ROBOTS * _PER_DAY)
        path = folder / "recordings" / f"robot_{robot:02d}" / f"day_{day:03d}" / f"run_{n:05d}.mcap"
        path.parent.mkdir(parents=True, exist_ok=True)
        copy_as_another(template, path)
    service.switch_on(_SENSOR)
    wait_for(
        lambda: service.partition_stats("episode")["numPartitions"] >= count, seconds=_HOURS, what=f"{count} partitions"
    )
    wait_for(
        lambda: sum(tick["num_added"] for tick in service.ticks(_SENSOR)) >= count,
        seconds=60,
        what="the last tick's end",
    )
    ticks = service.ticks(_SENSOR)
    adding = [tick for tick in ticks if tick["num_added"]]
    rows: list[Record] = [
        {"what": "recordings", "value": count, "unit": ""},
        {"what": "ticks that added partitions", "value": len(adding), "unit": ""},
        {"what": "most partitions added by one", "value": max(tick["num_added"] for tick in adding), "unit": ""},
        {"what": "slowest tick", "value": max(tick["seconds"] for tick in ticks), "unit": "s"},
        {"what": "ticks that failed", "value": sum(tick["status"] == "FAILURE" for tick in ticks), "unit": ""},
        {
            "what": "from the first tick's beginning to the last partition",
            "value": adding[-1]["ended_s"] - (ticks[0]["ended_s"] - ticks[0]["seconds"]),
            "unit": "s",
        },
    ]
    episodes = [str(name) for name in _partition_names(service)]
    return episodes, rows, ticks


def _backfill(service: Service, episodes: list[str]) -> tuple[list[Record], list[float]]:
    """One backfill over all of them, to its end."""
    memory: list[float] = []
    started = time.perf_counter()
    backfill = service.launch_backfill(list(STAGES), episodes)

    def is_ended() -> bool:
        memory.append(service.daemon_mib()[0])
        return service.backfill_status(backfill) not in {"REQUESTED", "FAILING", "CANCELING"}

    wait_for(is_ended, seconds=12 * _HOURS, what="the backfill's end")
    seconds = time.perf_counter() - started
    status = service.backfill_status(backfill)
    stats = service.partition_stats("episode")
    if status != "COMPLETED_SUCCESS" or stats["numMaterialized"] != len(episodes):
        raise RuntimeError(f"the backfill ended as {status}: {stats}")
    rows: list[Record] = [
        {"what": "runs", "value": -(-len(episodes) // MAX_EPISODES_PER_RUN), "unit": ""},
        {"what": "wall time", "value": seconds, "unit": "s"},
        {"what": "per episode", "value": seconds / len(episodes), "unit": "s"},
        {"what": "daemon's memory, median", "value": sorted(memory)[len(memory) // 2], "unit": "MiB"},
        {"what": "daemon's memory, most", "value": service.daemon_mib()[1], "unit": "MiB"},
    ]
    return rows, memory


def _partition_names(service: Service) -> list[str]:
    answer = service.query(
        "query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionKeys } } }",
        key={"path": ["episode"]},
    )
    names: list[str] = answer["assetNodeOrError"]["partitionKeys"]
    return names


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    sys.exit(main())
