"""From a recording to stored frames: bagmill's line against a bare loop, plain zarr-python and LeRobot.

Each contender is a module with one function, which `benchmarks.child` calls in a process of its own.
"""
