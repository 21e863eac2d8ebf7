"""How fast, how small, how much memory: programs that measure bagmill against the alternatives on the machine they run on.

Belongs here: what is measured and against what, named as the library's rooms are. Stays out: whether results are right
beyond what makes a figure worth reading (`tests`), and made-up recordings for tests (`bagmill.testing`).

    python -m benchmarks.ingest --help
"""
