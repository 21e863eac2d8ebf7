"""What all benchmarks have in common as programs: their options, and where their figures go."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.table import Table


def make_parser(name: str, about: str) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has: `quick`, `json` and `rounds`.

    Args:
        name: The module below `benchmarks`.
        about: What it measures.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("--quick", action="store_true", help="a minute's worth: small sizes, few rounds, rough figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--rounds", type=_positive, metavar="N", help="samples of every figure (default: 5; quick: 2)")
    return parser


def num_rounds(options: argparse.Namespace) -> int:
    """Samples of every figure, by the options of `make_parser`."""
    return int(options.rounds or (2 if options.quick else 5))


def publish(
    name: str,
    tables: Sequence[Table],
    *,
    options: argparse.Namespace,
    settings: Mapping[str, object],
    samples: Mapping[str, object],
) -> None:
    """Print the tables, and write the JSON file if one is asked for.

    Args:
        name: The benchmark's.
        tables: Its results.
        options: By `make_parser`.
        settings: Sizes and sources: what one must know to read the figures.
        samples: Every single sample, so that spreads can be judged.
    """
    print("\n\n".join(table.markdown() for table in tables), flush=True)
    if options.json is None:
        return
    content = {
        "benchmark": name,
        "is_quick": bool(options.quick),
        "machine": describe_machine(),
        "settings": {"num_rounds": num_rounds(options), **settings},
        "tables": [table.as_json() for table in tables],
        "samples": samples,
    }
    options.json.write_text(json.dumps(content, indent=1, default=float) + "\n", encoding="utf-8")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, not {text!r}")
    return int(text)
