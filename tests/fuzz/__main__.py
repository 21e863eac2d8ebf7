"""The long run: `python -m tests.fuzz --inputs 1000000 --processes 2`, or `make fuzz`."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.watched import Finding, Tally, try_given, try_inputs

_AT_ONCE = 2000
"""Inputs of one child process."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try inputs, print the table; exit code 1 where anything was found."""
    options = _parser().parse_args(arguments)
    chosen = [TARGETS[name] for name in options.targets or TARGETS]
    if options.replay is not None:
        (target,) = chosen
        tallies = [try_given(target, [options.replay.read_bytes()])]
    else:
        tallies = _run(chosen, options.inputs, seed=options.seed, processes=options.processes)
    findings = [finding for tally in tallies for finding in tally.findings]
    if options.keep is not None:
        _keep(findings, options.keep)
    if options.json:
        sys.stdout.write(json.dumps([_as_json(tally) for tally in tallies]) + "\n")
    else:
        _print(tallies)
    return 1 if findings else 0


def _run(chosen: Sequence[Target], num_inputs: int, *, seed: int, processes: int) -> list[Tally]:
    counts = _shares(chosen, num_inputs)
    jobs = [
        (target, range(first, min(first + _AT_ONCE, counts[target.name])))
        for target in chosen
        for first in range(0, counts[target.name], _AT_ONCE)
    ]
    for target in chosen:
        target.seeds()  # made once, here, and so by all the children
    tallies = {target.name: Tally(target.name) for target in chosen}
    with Progress(console=Console(stderr=True), transient=True) as progress, ThreadPoolExecutor(processes) as pool:
        bar = progress.add_task("inputs", total=sum(counts.values()))
        for tally in pool.map(lambda job: try_inputs(*job, seed=seed), jobs):
            _add(tallies[tally.target], tally)
            progress.advance(bar, tally.num_inputs)
    return list(tallies.values())


def _shares(chosen: Sequence[Target], num_inputs: int) -> dict[str, int]:
    total = sum(target.weight for target in chosen)
    return {target.name: math.ceil(num_inputs * target.weight / total) for target in chosen}


def _add(whole: Tally, part: Tally) -> None:
    whole.num_inputs += part.num_inputs
    whole.num_refused += part.num_refused
    whole.seconds += part.seconds
    whole.grown_bytes = max(whole.grown_bytes, part.grown_bytes)
    whole.findings += part.findings


def _keep(findings: Iterable[Finding], folder: Path) -> None:
    for finding in findings:
        place = folder / finding.target
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{finding.kind}-{sha256(finding.data).hexdigest()[:12]}").write_bytes(finding.data)


def _print(tallies: Sequence[Tally]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 130)
    table = Table("target", "inputs", "refused", "inputs/s", "grown, MiB", "crashes", "hangs", "foreign", "memory")
    for tally in tallies:
        kinds = [finding.kind for finding in tally.findings]
        table.add_row(
            tally.target,
            f"{tally.num_inputs:,}",
            f"{100 * tally.num_refused / max(1, tally.num_inputs):.0f} %",
            f"{tally.num_inputs / max(tally.seconds, 1e-9):,.0f}",
            f"{tally.grown_bytes / 2**20:.0f}",
            *(str(kinds.count(kind)) for kind in ("crash", "hang", "foreign", "memory")),
        )
    total = sum(tally.num_inputs for tally in tallies)
    num_findings = sum(len(tally.findings) for tally in tallies)
    console.print(table)
    console.print(f"{total:,} inputs, {num_findings} findings")
    seen: dict[str, int] = {}
    for finding in (finding for tally in tallies for finding in tally.findings):
        # One of a kind: what differs in numbers alone has one cause.
        kind = re.sub(r"\d+", "0", f"{finding.target}: {finding.kind}, {finding.text.rpartition('(')[2]}")
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] == 1:
            said = f"  {finding.target}: {finding.kind}, {finding.text}"
            console.print(f"{said} (input {finding.number}, {len(finding.data)} bytes)", markup=False, soft_wrap=True)


def _as_json(tally: Tally) -> dict[str, object]:
    return {
        "target": tally.target,
        "num_inputs": tally.num_inputs,
        "num_refused": tally.num_refused,
        "seconds": round(tally.seconds, 1),
        "grown_bytes": tally.grown_bytes,
        "findings": [
            {"number": each.number, "kind": each.kind, "text": each.text, "data": each.data.hex()[:2000]}
            for each in tally.findings
        ],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Damage what users' files hold, a million times, and see that the answer is a value or an error of bagmill's "
        "own, within 10 s and a GiB. The same seed makes the same inputs.",
    )
    parser.add_argument("--inputs", type=int, default=10_000, help="of all targets together (default: 10,000)")
    parser.add_argument(
        "--targets", nargs="+", choices=list(TARGETS), metavar="TARGET", help=f"of {', '.join(TARGETS)}"
    )
    parser.add_argument("--seed", type=int, default=0, help="other inputs (default: 0)")
    parser.add_argument("--processes", type=int, default=1, help="children at once (default: 1)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write inputs there that something was found with")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try this one input of a single target")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
