"""What a disk does to a dataset: bits that flip while it lies there, and no room left while it is written.

Belongs here: the damage, and whether bagmill told of it and lost nothing. Stays out: cut recordings (`benchmarks.salvage`),
killed processes (`benchmarks.kills`), and disks that are simulated (`tests.simulation`).
"""
