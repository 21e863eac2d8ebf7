"""Where and with what figures were taken."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_PACKAGES: Final = (
    "bagmill", "numpy", "zarr", "simplejpeg", "zstandard", "numcodecs", "mcap", "rosbags", "av", "pillow", "dagster",
    "pandas", "opencv-python-headless", "h5py", "torch",
)  # fmt: skip
_ROOT: Final = Path(__file__).resolve().parents[1]


def describe_machine() -> dict[str, object]:
    """Processor, cores, memory, system, versions, commit and date, as plain values."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "processor": _processor(),
        "num_cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_1_min": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {package: found for package in _PACKAGES if (found := _version(package)) is not None},
    }


def _commit() -> str | None:
    """Of the checkout, `+` behind it where something is changed; None outside of one."""
    try:
        ask = ["git", "-C", str(_ROOT)]
        head = subprocess.run([*ask, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*ask, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip()[:12] + ("+" if changed.stdout.strip() else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
