"""Fuzzing: whatever bytes come, the answer is a value or an error of bagmill's own, soon, and within a GiB.

`python -m tests.fuzz --help`. Belongs here: how inputs are made, what is done to them, and how each is watched. What went wrong
once is kept in `regressions` as a recipe, and tried by every `make test`.
"""
