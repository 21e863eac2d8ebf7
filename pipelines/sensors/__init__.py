"""What starts by itself, once it is switched on: a module a sensor.

Belongs here: when a run is to be started, over which episodes, and what a sensor keeps in its cursor. Stays out: which episodes
are worth a run (`assets.requests`), schedules, jobs.
"""

from pipelines.sensors.arrivals import arrivals_sensor
from pipelines.sensors.quarantine import quarantine_sensor

__all__ = ["arrivals_sensor", "quarantine_sensor"]
