"""Training in earnest: the same small policies on the same batches, fed by one loader or another.

Each contender is a process of its own; those of LeRobot run in its environment and know nothing of bagmill.
"""
