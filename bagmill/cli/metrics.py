"""`bagmill metrics`: everything that is measured."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.screen import print_json, results, table
from bagmill.quality import METRICS, STAGES

EPILOG = """[bold]Examples[/bold]

bagmill metrics  [dim]as a table[/dim]

bagmill metrics --json  [dim]for a program[/dim]
"""


def metrics(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """List every metric: what it measures, when, and the threshold its check has by default.

    A profile changes thresholds and severities under `checks`, by these names.
    """
    known = [METRICS[name] for name in METRICS]
    known.sort(key=lambda metric: STAGES.index(metric.stage))
    if as_json:
        print_json(
            {
                "metrics": [
                    {
                        "name": metric.name,
                        "stage": metric.stage,
                        "unit": metric.unit,
                        "direction": metric.direction,
                        "threshold": metric.threshold,
                        "severity": metric.severity,
                        "description": metric.description,
                    }
                    for metric in known
                ]
            }
        )
        return
    shown = table("metric", "stage", "passes", "else", "what it says")
    for metric in known:
        sign = "≥" if metric.direction == "higher" else "≤"
        passes = "not judged" if metric.threshold is None else f"{sign} {metric.threshold:g} {metric.unit}"
        shown.add_row(Text(metric.name, style="bold"), metric.stage, passes, metric.severity, metric.description)
    results().print(shown)
