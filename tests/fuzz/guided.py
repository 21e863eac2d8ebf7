"""One target, its inputs guided by the code that they reach: `python -m tests.fuzz.guided TARGET --runs 100000`; needs atheris.

What it finds ends it; the input lies in the folder that is named, to be replayed by `python -m tests.fuzz --replay`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import atheris


def main() -> None:
    """Fuzz until the runs are over or something is found; never returns."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("target", help="see python -m tests.fuzz --help")
    parser.add_argument("--runs", type=int, default=100_000, help="inputs (default: 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="other inputs (default: 1)")
    parser.add_argument(
        "--found", type=Path, default=Path("fuzz-found"), help="folder for what is found (default: fuzz-found)"
    )
    options = parser.parse_args()
    with atheris.instrument_imports(include=["bagmill"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[options.target]
    options.found.mkdir(parents=True, exist_ok=True)
    corpus = Path(tempfile.mkdtemp(prefix="bagmill-fuzz-corpus-"))
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    tokens = corpus.with_suffix(".dict")
    lines = ["".join(f"\\x{byte:02x}" for byte in token[:128]) for token in target.tokens]
    tokens.write_text("\n".join(f'"{line}"' for line in lines) + "\n")
    place = Path(tempfile.mkdtemp(prefix="bagmill-fuzz-"))

    def attempt(data: bytes) -> None:
        try:
            target.attempt(data, place)
        except target.refusals:
            pass
        finally:
            for left in place.iterdir():
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()

    settings = [
        f"-runs={options.runs}",
        f"-seed={options.seed}",
        "-timeout=10",
        "-rss_limit_mb=1536",
        "-max_len=65536",
        f"-dict={tokens}",
        f"-artifact_prefix={options.found}/",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *settings], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
