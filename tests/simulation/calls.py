"""The system calls of Python's `os`, `io` and `fcntl`, on the files of a simulated machine: same arguments, same results."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import io
import itertools
import os
import resource
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, Final

from tests.simulation.disk import FileNode, FolderNode
from tests.simulation.faults import Killed, Kind
from tests.simulation.system import OpenFile, System

REPLACED: Final = [
    "open",
    "close",
    "read",
    "pread",
    "preadv",
    "write",
    "pwrite",
    "pwritev",
    "writev",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "replace",
    "link",
    "unlink",
    "remove",
    "mkdir",
    "rmdir",
    "scandir",
    "listdir",
    "stat",
    "lstat",
    "utime",
]
"""Functions of `os` that have a simulated one here."""
REFUSED: Final = [
    "truncate",
    "symlink",
    "chmod",
    "chown",
    "lchown",
    "mkfifo",
    "mknod",
    "setxattr",
    "removexattr",
    "sendfile",
    "copy_file_range",
    "posix_fallocate",
]
"""Functions of `os` that change a disk and that bagmill does not use: on a simulated file they raise."""

real: Final = SimpleNamespace(
    **{name: getattr(os, name) for name in (*REPLACED, *REFUSED, "lseek")}, io_open=io.open, flock=fcntl.flock
)
RENAME_EXCHANGE: Final = 2
Path = Any
Place = tuple[FolderNode | None, str, str]
"""The folder it is in (None: there is no such folder), its name, and its path for people."""


def real_renameat2() -> Any:
    """The function of the C library, which leaves its error in ctypes' own `errno`."""
    function = ctypes.CDLL(None, use_errno=True).renameat2
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function


_limits = resource.getrlimit(resource.RLIMIT_NOFILE)
_LEAST, _MOST = 1000, min(_limits[1], 1 << 16) if _limits[1] > 0 else 1 << 16
_numbers = itertools.cycle(range(_LEAST, _MOST - 100))


def _unused_number(descriptor: int) -> int:
    """The file behind a descriptor under a number that was not in use for long.

    A process that was killed leaves objects that Python clears away later, when another process runs: they close what they had
    open by its number, which must not be that other process's.
    """
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < _MOST:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST, _limits[1]))
    other = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, next(_numbers))
    real.close(descriptor)
    return other


class Calls:
    """What is put in the place of the functions of the same names."""

    def __init__(self, system: System) -> None:
        self.system = system
        # bagmill follows links to where a folder really is, and goes on from there.
        self._roots = {str(system.folder), os.path.realpath(system.folder)}

    # --- where ---

    def _place(self, path: Path, dir_fd: int | None = None) -> Place | None:
        """Where a path leads; None: not to the simulated disk."""
        if dir_fd is not None and dir_fd in self.system.open_files:
            file = self.system.open_files[dir_fd]
            assert isinstance(file.node, FolderNode)
            return file.node, os.fspath(path), f"{file.label}/{os.fspath(path)}"
        if isinstance(path, int):
            return None
        text = os.fsdecode(path)
        if text in self._roots:
            return (None, "", "/")
        root = next((each for each in self._roots if text.startswith(f"{each}/")), None)
        if root is None:
            return None
        *parents, name = label = text[len(root) + 1 :].rstrip("/").split("/")
        try:
            folder = self.system.disk.find(tuple(parents))
        except KeyError:
            folder = None
        return folder if isinstance(folder, FolderNode) else None, name, "/".join(label)

    def _file(self, descriptor: int) -> FileNode | None:
        file = self.system.open_files.get(descriptor)
        return file.node if file is not None and isinstance(file.node, FileNode) else None

    # --- descriptors ---

    def open(self, path: Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        place = self._place(path, dir_fd)
        if place is None:
            return real.open(path, flags, mode, dir_fd=dir_fd)
        folder, name, label = place
        node = self.system.disk.root if name == "" else folder and folder.entries.get(name)
        is_new = node is None and bool(flags & os.O_CREAT)
        is_cut = isinstance(node, FileNode) and bool(flags & os.O_TRUNC)
        is_for_writing = bool(flags & (os.O_WRONLY | os.O_RDWR))
        kind: Kind = "create" if is_new else "write" if is_cut else "open"
        self.system.call("create" if is_for_writing and kind == "open" else kind, f"open:{flags & 0o3703:o}", label)
        descriptor = _unused_number(real.open(path, flags, mode, dir_fd=dir_fd))
        if is_new:
            assert folder is not None
            node = FileNode()
            self.system.disk.change((folder, name, node))
        if is_cut:
            node.data.clear()
        if is_new or is_cut:
            self._touch(descriptor, node)
        self.system.open_files[descriptor] = OpenFile(node, label, self.system.process)
        return descriptor

    def close(self, descriptor: int) -> None:
        if descriptor in self.system.open_files:
            if self.system.process.is_dead:
                return  # what Python clears up after it has no effect, and the kernel closes it
            del self.system.open_files[descriptor]
        elif _LEAST <= descriptor < _MOST:
            return  # of a process that has ended
        real.close(descriptor)

    def read(self, descriptor: int, length: int) -> bytes:
        self._reads(descriptor, "read")
        return real.read(descriptor, length)

    def pread(self, descriptor: int, length: int, offset: int) -> bytes:
        self._reads(descriptor, "pread")
        return real.pread(descriptor, length, offset)

    def preadv(self, descriptor: int, buffers: Any, offset: int, flags: int = 0) -> int:
        self._reads(descriptor, "preadv")
        return real.preadv(descriptor, buffers, offset, flags)

    def _reads(self, descriptor: int, name: str) -> None:
        file = self.system.open_files.get(descriptor)
        if file is not None:
            self.system.call("read", name, file.label)

    def write(self, descriptor: int, data: Any) -> int:
        node = self._file(descriptor)
        if node is None:
            return real.write(descriptor, data)
        offset = real.lseek(descriptor, 0, os.SEEK_CUR)
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND:
            offset = len(node.data)
        num_written = self._write(descriptor, node, bytes(data), offset, "write")
        real.lseek(descriptor, offset + num_written, os.SEEK_SET)
        return num_written

    def writev(self, descriptor: int, buffers: Iterable[Any]) -> int:
        if self._file(descriptor) is None:
            return real.writev(descriptor, buffers)
        return self.write(descriptor, b"".join(map(bytes, buffers)))

    def pwrite(self, descriptor: int, data: Any, offset: int) -> int:
        node = self._file(descriptor)
        if node is None:
            return real.pwrite(descriptor, data, offset)
        return self._write(descriptor, node, bytes(data), offset, "pwrite")

    def pwritev(self, descriptor: int, buffers: Any, offset: int, flags: int = 0) -> int:
        node = self._file(descriptor)
        if node is None:
            return real.pwritev(descriptor, buffers, offset, flags)
        return self._write(descriptor, node, b"".join(map(bytes, buffers)), offset, "pwritev")

    def _write(self, descriptor: int, node: FileNode, data: bytes, offset: int, name: str) -> int:
        num_bytes = self.system.num_written(len(data))
        label = self.system.open_files[descriptor].label
        try:
            self.system.call("write", f"{name} {len(data)}@{offset}", label)
        except (Killed, OSError):
            if num_bytes < len(data):
                self._put(descriptor, node, data[:num_bytes], offset)
            if 0 < num_bytes < len(data) and not self.system.process.is_dead:
                return num_bytes  # the disk takes a part now, and nothing the next time
            raise
        self._put(descriptor, node, data, offset)
        return len(data)

    def _put(self, descriptor: int, node: FileNode, data: bytes, offset: int) -> None:
        real.pwrite(descriptor, data, offset)
        if offset > len(node.data):
            node.data.extend(bytes(offset - len(node.data)))
        node.data[offset : offset + len(data)] = data
        self._touch(descriptor, node)

    def ftruncate(self, descriptor: int, length: int) -> None:
        node = self._file(descriptor)
        if node is not None:
            self.system.call("write", f"ftruncate {length}", self.system.open_files[descriptor].label)
            del node.data[length:]
            node.data.extend(bytes(length - len(node.data)))
        real.ftruncate(descriptor, length)
        if node is not None:
            self._touch(descriptor, node)

    def _touch(self, descriptor: int, node: FileNode) -> None:
        node.mtime_ns = self.system.clock.now_ns
        real.utime(descriptor, ns=(node.mtime_ns, node.mtime_ns))

    def fsync(self, file: Any) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        opened = self.system.open_files.get(descriptor)
        if opened is None:
            real.fsync(descriptor)
            return
        self.system.call("sync", "fsync", opened.label)
        self.system.disk.sync(opened.node)

    fdatasync = fsync

    def flock(self, file: Any, operation: int) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        opened = self.system.open_files.get(descriptor)
        if opened is None:
            real.flock(descriptor, operation)
            return
        self.system.call("lock", f"flock {operation}", opened.label)
        wanted = operation & ~fcntl.LOCK_NB
        if wanted == fcntl.LOCK_UN:
            opened.lock = 0
            return
        while self._is_held(opened, wanted):
            if operation & fcntl.LOCK_NB:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            self.system.wait(f"for {opened.label}")
        opened.lock = wanted

    def _is_held(self, opened: OpenFile, wanted: int) -> bool:
        others = (each for each in self.system.open_files.values() if each.node is opened.node and each is not opened)
        return any(each.lock == fcntl.LOCK_EX or (each.lock and wanted == fcntl.LOCK_EX) for each in others)

    # --- names ---

    def rename(
        self, source: Path, target: Path, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        self._rename(real.rename, source, target, src_dir_fd, dst_dir_fd)

    def replace(
        self, source: Path, target: Path, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        self._rename(real.replace, source, target, src_dir_fd, dst_dir_fd)

    def _rename(
        self, function: Callable[..., None], source: Path, target: Path, source_fd: Any, target_fd: Any
    ) -> None:
        from_, to = self._place(source, source_fd), self._place(target, target_fd)
        if (from_ is None) != (to is None):
            raise NotImplementedError(f"{source} → {target}: from one disk to another")
        if from_ is None or to is None:
            function(source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd)
            return
        self.system.call("name", f"rename {from_[2]} →", to[2])
        function(source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd)
        node = from_[0].entries[from_[1]]
        if to[0].entries.get(to[1]) is not node:  # two names of one file: POSIX does nothing
            self.system.disk.change((from_[0], from_[1], None), (to[0], to[1], node))

    def renameat2(self, _: int, source: bytes, __: int, target: bytes, flags: int) -> int:
        """As the C library has it; only for the exchange of two names, which some file systems cannot do."""
        from_, to = self._place(source), self._place(target)
        if from_ is None or to is None:
            return real_renameat2()(_, source, __, target, flags)
        assert flags == RENAME_EXCHANGE, "not simulated"
        try:
            self.system.call("name", f"exchange {from_[2]} ↔", to[2])
        except OSError as err:
            ctypes.set_errno(err.errno or 0)
            return -1
        if not self.system.can_exchange:
            ctypes.set_errno(errno.EINVAL)
            return -1
        if real_renameat2()(_, source, __, target, flags):
            return -1
        one, other = from_[0].entries[from_[1]], to[0].entries[to[1]]
        self.system.disk.change((from_[0], from_[1], other), (to[0], to[1], one))
        return 0

    def link(self, source: Path, target: Path, **how: Any) -> None:
        from_, to = self._place(source), self._place(target)
        if from_ is None or to is None:
            real.link(source, target, **how)
            return
        self.system.call("name", f"link {from_[2]} →", to[2])
        real.link(source, target, **how)
        self.system.disk.change((to[0], to[1], from_[0].entries[from_[1]]))

    def unlink(self, path: Path, *, dir_fd: int | None = None) -> None:
        self._free(real.unlink, "unlink", path, dir_fd)

    remove = unlink

    def rmdir(self, path: Path, *, dir_fd: int | None = None) -> None:
        self._free(real.rmdir, "rmdir", path, dir_fd)

    def _free(self, function: Callable[..., None], name: str, path: Path, dir_fd: int | None) -> None:
        place = self._place(path, dir_fd)
        if place is None:
            function(path, dir_fd=dir_fd)
            return
        self.system.call("free", name, place[2])
        function(path, dir_fd=dir_fd)
        self.system.disk.change((place[0], place[1], None))

    def mkdir(self, path: Path, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        place = self._place(path, dir_fd)
        if place is None:
            real.mkdir(path, mode, dir_fd=dir_fd)
            return
        self.system.call("create", "mkdir", place[2])
        real.mkdir(path, mode, dir_fd=dir_fd)
        self.system.disk.change((place[0], place[1], FolderNode()))

    def utime(self, path: Path, times: Any = None, **how: Any) -> None:
        place = self._place(path)
        if place is None:
            real.utime(path, times, **how) if times is not None else real.utime(path, **how)
            return
        self.system.call("name", "utime", place[2])
        now_ns = self.system.clock.now_ns
        mtime_ns = how["ns"][1] if "ns" in how else now_ns if times is None else round(times[1] * 1e9)
        real.utime(path, ns=(mtime_ns, mtime_ns))
        node = place[0].entries[place[1]] if place[0] is not None else None
        if isinstance(node, FileNode):
            node.mtime_ns = mtime_ns

    # --- looks ---

    def scandir(self, path: Path = ".") -> Any:
        self._looks("scandir", path)
        return real.scandir(path)

    def listdir(self, path: Path = ".") -> Any:
        self._looks("listdir", path)
        return real.listdir(path)

    def stat(self, path: Path, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        self._looks("stat", path, dir_fd)
        return real.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    def lstat(self, path: Path, *, dir_fd: int | None = None) -> os.stat_result:
        self._looks("lstat", path, dir_fd)
        return real.lstat(path, dir_fd=dir_fd)

    def _looks(self, name: str, path: Path, dir_fd: int | None = None) -> None:
        if isinstance(path, int):
            file = self.system.open_files.get(path)
            label = None if file is None else file.label
        else:
            place = self._place(path, dir_fd)
            label = None if place is None else place[2]
        if label is not None:
            self.system.call("look", name, label)

    # --- what is not simulated ---

    def refusing(self, name: str) -> Callable[..., Any]:
        """A function of `os` that raises where it is used on the simulated disk."""
        function = getattr(real, name)

        def refuse(*arguments: Any, **how: Any) -> Any:
            if any(self._is_ours(each) for each in arguments):
                raise NotImplementedError(f"os.{name} is not simulated")
            return function(*arguments, **how)

        return refuse

    def _is_ours(self, argument: Any) -> bool:
        if isinstance(argument, int):
            return argument in self.system.open_files
        return isinstance(argument, str | bytes | os.PathLike) and self._place(argument) is not None

    # --- files as Python opens them ---

    def io_open(
        self,
        file: Path,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        is_ours = file in self.system.open_files if isinstance(file, int) else self._place(file) is not None
        if not is_ours:
            return real.io_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        assert opener is None, "not simulated"
        raw = RawFile(self, file, mode)
        if buffering == 0:
            return raw
        reads, writes = raw.readable(), raw.writable()
        buffered = (io.BufferedRandom if reads and writes else io.BufferedReader if reads else io.BufferedWriter)(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline)


class RawFile(io.RawIOBase):
    """As `io.FileIO`, by simulated calls; of a process that has ended, it does nothing."""

    def __init__(self, calls: Calls, path: Path, mode: str) -> None:
        self._calls = calls
        self._process = calls.system.process
        self._reads = "r" in mode or "+" in mode
        self._writes = mode.strip("rbt") != ""
        access = os.O_RDWR if self._reads and self._writes else os.O_WRONLY if self._writes else os.O_RDONLY
        extra = {"w": os.O_CREAT | os.O_TRUNC, "x": os.O_CREAT | os.O_EXCL, "a": os.O_CREAT | os.O_APPEND}
        flags = access | os.O_CLOEXEC | extra.get(mode.strip("bt+")[:1], 0)
        self._descriptor = path if isinstance(path, int) else calls.open(path, flags, 0o666)
        self.name = path
        self.mode = mode

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: Any) -> int:
        data = self._calls.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        parts = []
        while part := self._calls.read(self._descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)

    def write(self, data: Any) -> int:
        if self._process.is_dead:
            return memoryview(data).nbytes
        return self._calls.write(self._descriptor, data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return real.lseek(self._descriptor, offset, whence)

    def truncate(self, size: int | None = None) -> int:
        size = self.tell() if size is None else size
        self._calls.ftruncate(self._descriptor, size)
        return size

    def close(self) -> None:
        if not self.closed and not self._process.is_dead:
            super().close()
            self._calls.close(self._descriptor)
        else:
            super().close()
