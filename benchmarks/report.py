"""`python -m benchmarks.report`: docs/benchmarks/README.md, written from the JSON files beside it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.table import Table

_FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
_HEAD: Final = """# Benchmarks

Written by `python -m benchmarks.report` from the JSON files beside this page, which hold every sample. `make bench` takes
them anew; the figures are those of the machine and commit that stand under each heading.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page.

    Returns:
        The exit code: 1 where there is nothing to write it from.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description="Tables of JSON files, as a page.")
    parser.add_argument("folder", type=Path, nargs="?", default=_FOLDER, help="with the JSON files (default: docs)")
    folder: Path = parser.parse_args(arguments).folder
    files = sorted(folder.glob("*.json"))
    if not files:
        print(f"{folder}: no JSON files; run a benchmark with --json first")
        return 1
    parts = [_section(json.loads(file.read_text(encoding="utf-8")), file.name) for file in files]
    (folder / "README.md").write_text("\n".join([_HEAD, *parts]), encoding="utf-8")
    return 0


def _section(content: Mapping[str, Any], file_name: str) -> str:
    machine = content["machine"]
    gib = machine["memory_bytes"] / 2**30
    rough = " Taken with `--quick`: rough." if content["is_quick"] else ""
    lines = [
        f"## {content['benchmark']}",
        "",
        f"[{file_name}]({file_name}), {machine['date'][:10]}, commit `{machine['commit']}`, Python {machine['python']}, "
        f"{machine['processor']}, {machine['num_cores']} cores, {gib:.0f} GiB; load when it ended: "
        f"{machine['load_1_min']}.{rough}",
        "",
    ]
    tables = [Table.from_json(table).markdown(level=3) for table in content["tables"]]
    return "\n".join(lines) + "\n" + "\n\n".join(tables) + "\n"


if __name__ == "__main__":
    sys.exit(main())
