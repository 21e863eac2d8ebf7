"""Makes realistic recordings of a robot that does not exist: a dual arm with two cameras and depth, for demos.

What belongs here: the scene, the sensors, the clocks and the five recordings made of them. Small recordings for tests,
one for every fault, are `bagmill.testing`.

    python -m examples.sample_recordings --out var/recordings
"""

from examples.sample_recordings.episodes import SAMPLES, Sample, is_made, make

__all__ = ["SAMPLES", "Sample", "is_made", "make"]
