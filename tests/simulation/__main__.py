"""Runs many histories: `python -m tests.simulation --histories 10000 --seed 0 --processes 2`; replays one: `--seed N --trace`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from xxhash import xxh3_64

from tests.simulation.history import History, Told

NUM_STEPS = 6


def live(seed: int, *, num_steps: int = NUM_STEPS, is_traced: bool = False) -> Told:
    """One history."""
    return History(seed, is_traced=is_traced).run(num_steps=num_steps)


def how_to_replay(seed: int, num_steps: int) -> str:
    """The command that shows a history call by call."""
    return f"python -m tests.simulation --seed {seed} --steps {num_steps} --trace"


def shortest(seed: int, num_steps: int) -> Told:
    """The history of a seed with as few steps as show that something is wrong, traced."""
    for fewer in range(1, num_steps + 1):
        told = live(seed, num_steps=fewer, is_traced=True)
        if told.problems:
            return told
    return live(seed, num_steps=num_steps, is_traced=True)


def _live_many(seeds: range, num_steps: int) -> list[Told]:
    os.nice(5)
    return [live(seed, num_steps=num_steps) for seed in seeds]


def main() -> int:
    """Live through histories, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first history")
    parser.add_argument("--histories", type=int, default=1, help="how many")
    parser.add_argument("--steps", type=int, default=NUM_STEPS, help="of each, before its last run")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--trace", action="store_true", help="print every call, of the shortest history that shows what is wrong"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    if asked.trace:
        told = shortest(asked.seed, asked.steps)
        print("".join(told.trace), *told.problems or ["nothing is wrong"], told.journal, sep="\n")
        return bool(told.problems)
    started = time.monotonic()
    counts: Counter[str] = Counter()
    journals: dict[int, str] = {}
    wrong: list[Told] = []
    size = max(1, min(50, asked.histories // asked.processes))
    chunks = [
        range(at, min(at + size, asked.seed + asked.histories))
        for at in range(asked.seed, asked.seed + asked.histories, size)
    ]
    with ProcessPoolExecutor(asked.processes) as pool:
        for future in as_completed([pool.submit(_live_many, chunk, asked.steps) for chunk in chunks]):
            for told in future.result():
                counts += told.counts
                journals[told.seed] = told.journal
                counts["histories"] += 1
                counts["histories with a violation"] += bool(told.problems)
                if told.problems:
                    wrong.append(told)
                    print(f"seed {told.seed}: {told.problems[0]}", flush=True)
                    print(f"  replay it: {how_to_replay(told.seed, asked.steps)}", flush=True)
    seconds = time.monotonic() - started
    figures = {
        **dict(sorted(counts.items())),
        "seconds": round(seconds, 1),
        "first seed": asked.seed,
        "steps": asked.steps,
        "every call": xxh3_64(" ".join(journals[seed] for seed in sorted(journals)).encode()).hexdigest(),
    }
    print(json.dumps(figures, indent=2))
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
