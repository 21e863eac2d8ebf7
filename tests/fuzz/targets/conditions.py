"""Conditions over a snapshot's rows."""

from __future__ import annotations

import pandas as pd

from bagmill.dataset import select
from tests.fuzz.target import Target

# Made here, for the first text that Arrow keeps reserves a GiB of addresses, which is all that a child may take.
_TABLE = pd.DataFrame(
    {
        "episode": ["a", "b", "c"],
        "task": ["pick", "place", None],
        "robot": ["x", "x", "y"],
        "num_frames": [10, 200, 3000],
        "quality.skew": [1.5, float("nan"), 9.0],
        "is_salvaged": [True, False, False],
        "start_ns": [0, 10**18, 1_700_000_000 * 10**9],
        "features": ['["images/wrist"]'] * 3,
    }
)


_SEEDS = [
    b"num_frames > 100 and task == 'pick' and quality.skew < 10",
    b"task in ['pick', 'place'] or not robot == \"x\"",
    b"`quality.skew`.isna() | num_frames.between(1, 200)",
    b"task.str.contains('pi', regex=False) & start > '2024-01-01'",
    b"'images/wrist' in features and abs(num_frames - 3) ** 2 <= 1e6",
    b"1 < num_frames <= 300 != 7",
]
_TOKENS = (
    b"9**9**9",
    b'"a" * 20000000000',
    b"`",
    b"'",
    b'"',
    b"#",
    b"\\",
    b"...",
    b"@x",
    b"lambda: ",
    b"__class__",
    b".str.match('(a+)+$')",
    b"(" * 60,
    b"not " * 60,
    b"- " * 60,
    b" and ",
    b" if 1 else ",
    b"[",
    b"]",
    b" in ",
    b"f'{x}'",
    b"b'x'",
    b"1j",
    b"None",
    b":=",
    b"\0",
    "＿".encode(),
    "ª".encode(),
    b"\n",
    b"\x0c",
)

CONDITIONS = (
    Target(
        "condition",
        lambda data, _: select(_TABLE, data.decode("utf-8", "surrogateescape")),
        lambda: _SEEDS,
        _TOKENS,
        weight=2.0,
    ),
)
