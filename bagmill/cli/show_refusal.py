"""What is said of an episode that was refused: the reason, what to do, and the checks as far as they were made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bagmill.cli.wording import printable, stamp_text
from bagmill.dataset import Dataset, EpisodeReport, QuarantineEntry, asking, load_report, read_quarantine
from bagmill.errors import StorageError


@dataclass(frozen=True, slots=True)
class RefusalFacts:
    """A refusal, and the newest report of the episode."""

    entry: QuarantineEntry
    report: EpisodeReport | None
    """None where the recording could not even be scanned."""


def find_refusal(path: Path) -> RefusalFacts | None:
    """The refusal of the episode that a path names.

    Args:
        path: `dataset/episodes/trial_7.mcap`, whether there is such a folder or not, a version in it, or the refusal's own
            file in `dataset/quarantine`.

    Returns:
        None where the episode was not refused.

    Raises:
        StorageError: The refusal is damaged.
    """
    path = Path(path).absolute()
    folder = path.parent if path.suffix == ".zarr" else path
    if folder.parent.name not in ("episodes", "quarantine"):
        return None
    dataset = Dataset(folder.parent.parent)
    name = folder.name.removesuffix(".json") if folder.parent.name == "quarantine" else folder.name
    if name not in dataset.quarantined():
        return None
    entry = read_quarantine(dataset, name)
    return None if entry is None else RefusalFacts(entry, _newest_report(dataset, name))


def print_refusal(facts: RefusalFacts, console: Console) -> None:
    """Tell a refusal; not its checks."""
    entry = facts.entry

    def line(text: str, style: str = "") -> None:
        console.print(Text(printable(text), style=style), soft_wrap=True)

    how = "" if entry.kind == "refused" else f" ({entry.kind})"
    line(f"{entry.episode} was refused{how} at stage {entry.stage}", "bold red")
    line(f"recording  {entry.recording}")
    if facts.report is not None:
        line(f"profile    {facts.report.profile}")
    line(f"since      {stamp_text(entry.since_ns)}")
    line(f"reason     {entry.reason}")
    if entry.remedy:
        line(f"remedy     {entry.remedy}.")
    if entry.is_passing:
        line("It may pass by itself: ingest it again.")
    if entry.failed_checks:
        line(f"failed     {', '.join(entry.failed_checks)}")


def refusal_json(facts: RefusalFacts) -> dict[str, object]:
    """The same as plain values."""
    checks = facts.report.checks if facts.report is not None else ()
    return {
        **asdict(facts.entry),
        "checks": [{**asdict(check), "worst": check.worst, "is_passed": check.is_passed} for check in checks],
    }


def _newest_report(dataset: Dataset, episode: str) -> EpisodeReport | None:
    reports: list[EpisodeReport] = []
    folder = dataset.reports_dir / episode
    for path in folder.glob("*.json") if folder.is_dir() else ():
        try:
            reports.append(load_report(dataset, episode, version=path.stem))
        except StorageError:
            continue  # it is damaged, the refusal is not
    return max(reports, key=asking, default=None)
