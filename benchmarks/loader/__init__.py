"""From a stored dataset to batches: bagmill's loader against the decoder itself, LeRobot, zarr-python, HDF5 and folders of files.

All contenders have the same frames and are asked for the same random samples. Each is a module with a function `prepare`,
which `benchmarks.standing` calls in a process of its own; those of LeRobot run in its environment and know nothing of bagmill.
"""
