"""A simulation of disk, clock and processes: one seed says everything that happens, and replays it.

Belongs here: what a disk may keep of what it was told (`disk`), the system calls on their way there and the faults they meet
(`system`, `interception`, `faults`), the clock, the work that is done meanwhile (`steps`, `history`), and what must hold after
each step (`invariants`). Nothing of bagmill is replaced: it runs as it is, on files under a folder that the simulation watches.
"""
