"""What a look through a dataset found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from bagmill.cli.screen import results, table
from bagmill.cli.wording import counted, printable
from bagmill.dataset import Dataset
from bagmill.health import Finding, HealthReport, Mended, Turn

_PLURALS = {"quarantine entry": "quarantine entries"}
_MOST_SHOWN = 200


def print_health(dataset: Dataset, report: HealthReport, *, turn: Turn | None) -> None:
    """Counts, and a table of what is damaged, where, and what mends it."""
    say = results().print
    of_what = "" if turn is None or turn.num_turns == 1 else f", part {turn.number + 1:,} of {turn.num_turns:,}"
    counted_kinds = [counted(num, kind, _PLURALS.get(kind)) for kind, num in report.num_checked.items() if num]
    if of_what and not report.num_checked.get("episode"):
        counted_kinds.insert(0, "no episode")
    counts = ", ".join(counted_kinds)
    say(Text(f"{printable(str(dataset.path))}{of_what}: {counts or 'nothing'} read"), soft_wrap=True)
    if report.num_without_checksum:
        told = counted(report.num_without_checksum, "file")
        say(Text(f"{told} from before files had a checksum: they can be read, and no more is known of them"))
    print_findings(dataset, report.findings)
    num_leftovers = len(report.findings) - len(report.damages)
    told = "whole" if report.is_whole else f"{counted(len(report.damages), 'damage')}: see `bagmill repair`"
    say(Text(told + (f"; {counted(num_leftovers, 'leftover')} of interrupted runs" if num_leftovers else "")))


def print_findings(dataset: Dataset, findings: Sequence[Finding]) -> None:
    """A table, its first rows where there are very many."""
    if not findings:
        return
    shown = table("what", "where", "what is wrong", "what mends it")
    for each in findings[:_MOST_SHOWN]:
        shown.add_row(each.kind, _where(dataset, each.path), printable(each.problem), printable(each.remedy))
    results().print(shown)
    if (num_more := len(findings) - _MOST_SHOWN) > 0:
        results().print(Text(f"… and {num_more:,} more: --json has them all"))


def print_mended(dataset: Dataset, outcomes: Sequence[Mended]) -> None:
    """A table of what was or would be done."""
    shown = table("what", "where", "state", "how")
    for each in outcomes[:_MOST_SHOWN]:
        style = {"mended": "green", "left": "red"}.get(each.outcome, "")
        shown.add_row(
            each.finding.kind,
            _where(dataset, each.finding.path),
            Text(each.outcome, style=style),
            printable(each.how),
        )
    results().print(shown)


def health_json(dataset: Dataset, report: HealthReport, *, turn: Turn | None) -> dict[str, object]:
    """The same as plain values."""
    return {
        "path": dataset.path,
        "is_whole": report.is_whole,
        "turn": None if turn is None else {"number": turn.number, "num_turns": turn.num_turns},
        "num_checked": dict(report.num_checked),
        "num_without_checksum": report.num_without_checksum,
        "findings": [finding_json(each) for each in report.findings],
    }


def finding_json(finding: Finding) -> dict[str, object]:
    """One finding."""
    return {
        "kind": finding.kind,
        "path": finding.path,
        "problem": finding.problem,
        "remedy": finding.remedy,
        "episode": finding.episode,
        "version": finding.version,
    }


def _where(dataset: Dataset, path: Path) -> str:
    return printable(str(path.relative_to(dataset.path) if path.is_relative_to(dataset.path) else path))
