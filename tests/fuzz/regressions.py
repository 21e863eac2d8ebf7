"""Inputs that once got a wrong answer, each by a recipe: tried by every `make test`.

What is given here is the smallest input that shows the fault; the fault itself is told by the test of the part that was mended.
"""

from __future__ import annotations

from collections.abc import Callable

REGRESSIONS: dict[str, tuple[str, Callable[[], bytes]]] = {
    # name → target, recipe
    "a query that runs a command": (
        "condition",
        lambda: b"task == '\\' or task == '`' #`' or num_frames == (num_frames.to_csv.__globals__) or num_frames == ''",
    ),
    "a power without end": ("condition", lambda: b"num_frames > 9**9**9**9"),
    "a text without end": ("condition", lambda: b'task == "a" * 20000000000'),
    "an ellipsis": ("condition", lambda: b"num_frames > 1 or ..."),
    "a pattern that backtracks": ("condition", lambda: b"task.str.match('(a+)+$')"),
    "a number that is no number in YAML": ("profile", lambda: b"rate_hz: !!int ''\n"),
    "a time that is none in YAML": ("profile", lambda: b"rate_hz: !!timestamp x\n"),
    "a rate of nearly nothing": ("profile", lambda: b"name: a\nrate_hz: 1e-99999999\nfeatures: {}\n"),
    "aliases that double": (
        "metadata_yaml",
        lambda: (
            b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 64))
        ),
    ),
    "lists without end in YAML": ("metadata_yaml", lambda: b"[" * 100_000),
    "lists without end in JSON": ("json_message", lambda: b"[" * 100_000),
    "a shift without end in IDL": (
        "ros2idl",
        lambda: (
            b"module sensor_msgs { module msg { const long X = 1 << 99999999999; struct JointState { double position; }; }; };"
        ),
    ),
    "a type that doubles": (
        "ros1msg",
        lambda: (
            b"a/T0 x\n"
            + b"".join(b"=" * 80 + b"\nMSG: a/T%d\nT%d x\nT%d y\n" % (n, n + 1, n + 1) for n in range(60))
            + b"=" * 80
            + b"\nMSG: a/T60\n"
        ),
    ),
    "a fixed array of thirty million": ("ros2msg", lambda: b"float64[30000000] position\n"),
    "an array of a type without fields": ("ros1msg", lambda: b"a/E[] position\n" + b"=" * 80 + b"\nMSG: a/E\n"),
    "a type that holds itself": ("ros2msg", lambda: b"a/T x\n" + b"=" * 80 + b"\nMSG: a/T\na/T x\n"),
}
