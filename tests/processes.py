"""Processes that the code under test has started, as Linux tells of them."""

from contextlib import suppress
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process has not ended; one that has, and that nobody has waited for, is still listed."""
    try:
        return _state_and_parent(pid)[0] != "Z"
    except (OSError, IndexError):
        return False


def living_children(parent: int, *, program: str) -> list[int]:
    """Processes that were started by another and have not ended, those with some text in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):  # it has just ended
            state, its_parent = _state_and_parent(int(process.name))
            if its_parent == parent and state != "Z" and program.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return sorted(found)


def _state_and_parent(pid: int) -> tuple[str, int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[1])
