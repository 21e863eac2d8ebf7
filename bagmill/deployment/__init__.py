"""A deployment's one file, read and looked through.

Belongs here: its settings, and what can be said of them before anything runs. Stays out: which file it is, and what is run
by it (`pipelines`).
"""

from bagmill.deployment.check import Finding, check_deployment
from bagmill.deployment.settings import (
    AlertSettings,
    ArrivalSettings,
    Deployment,
    FolderName,
    MediaSettings,
    NightSettings,
    ProfileChoice,
    VerifySettings,
    WorkerSettings,
    beside,
    parse_deployment,
    read_deployment,
)

__all__ = [
    "AlertSettings",
    "ArrivalSettings",
    "Deployment",
    "Finding",
    "FolderName",
    "MediaSettings",
    "NightSettings",
    "ProfileChoice",
    "VerifySettings",
    "WorkerSettings",
    "beside",
    "check_deployment",
    "parse_deployment",
    "read_deployment",
]
