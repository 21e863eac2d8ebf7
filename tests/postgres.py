"""A PostgreSQL server of one's own in a temporary folder, by Debian's programs; for tests, never for keeping data."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

_WAIT_S = 60
_ROLE = "dagster"


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def why_not() -> str | None:
    """Why no server can be started here, as a reason to skip."""
    if find_programs() is None:
        return "no PostgreSQL here: apt-get install postgresql"
    if os.geteuid() == 0 and not _unprivileged():
        return "PostgreSQL does not run as root, and there is no user `postgres` to run it as"
    return None


@dataclass
class Server:
    """A running server."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql://{_ROLE}@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str = "template1") -> str:
        """A new database, a copy of one that nobody is connected to; returns its name."""
        name = f"dagster_{next(self._numbers)}"
        self.query("template1", f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def query(self, database: str, sql: str) -> str:
        """What psql prints, without headings."""
        command = [_program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url(database)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [_program("postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **_unprivileged())
        deadline = time.monotonic() + _WAIT_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "server.log").read_text())
            time.sleep(0.05)

    def is_ready(self) -> bool:
        command = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self, *, is_crash: bool = False) -> None:
        """End it, and with it every connection; a crash leaves the recovery to the next start."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT if is_crash else signal.SIGINT)
            self.process.wait(_WAIT_S)
            self.process = None


@contextmanager
def running_server(**settings: Any) -> Iterator[Server]:
    """A server for as long as the context lasts.

    Args:
        settings: Of `postgresql.conf`, beyond those that make a throw-away server fast.
    """
    folder = Path(tempfile.mkdtemp(prefix="bagmill-pg-"))
    try:
        if user := _unprivileged():
            os.chown(folder, user["user"], user["group"])
        _run("initdb", "-D", "data", "-U", _ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", cwd=folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        lines = {"port": port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": f"'{folder}'"}
        lines |= {"fsync": "off", "full_page_writes": "off"} | settings
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in lines.items())
        server = Server(folder, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: str, cwd: Path) -> None:
    done = subprocess.run(
        [_program(program), *arguments], cwd=cwd, capture_output=True, text=True, check=False, **_unprivileged()
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _program(name: str) -> str:
    folder = find_programs()
    assert folder is not None
    return str(folder / name)


def _unprivileged() -> dict[str, Any]:
    """How a subprocess is started as a user that PostgreSQL puts up with; nothing where we are one."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        return {}
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
