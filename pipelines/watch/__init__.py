"""The watch: a process of its own that raises alerts about what nothing inside Dagster's daemon can tell of.

A sensor that fails every time, a daemon that is gone, a disk that fills, a robot that has stopped recording, a configuration
that is wrong. A module each says what concerns it now; `Watch` raises an alert where that is news.
"""
