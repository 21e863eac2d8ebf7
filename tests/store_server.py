"""An HTTP server over a folder, with ranges, whose faults a test chooses; what it is asked is written down.

Objects of an S3 bucket are asked for in the same way, by their path, so it serves `s3://` addresses as well.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


@dataclass
class StoreServer:
    root: Path
    url: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and range of every request."""
    num_refused: int = 0
    """So many requests from now on get `refusal`."""
    refusal: int = 503
    num_broken: int = 0
    """So many answers from now on break off in the middle."""
    has_ranges: bool = True
    stall_at: str | None = None
    """Paths that end so are sent to the half, and then nothing more until `resume`."""
    stalled: threading.Event = field(default_factory=threading.Event)
    resume: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked_whole(self, part: str) -> list[str]:
        """Paths with some text in them that were asked for without a range."""
        return [path for path, wanted in self.asked if part in path and wanted is None]

    def asked_pieces(self, part: str) -> list[str]:
        return [path for path, wanted in self.asked if part in path and wanted is not None]

    def takes(self, counter: str) -> bool:
        with self.lock:
            left = getattr(self, counter)
            setattr(self, counter, max(0, left - 1))
            return left > 0


@contextmanager
def serving(root: Path) -> Iterator[StoreServer]:
    """A server that is there as long as the block lasts."""
    store = StoreServer(root)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            answer(self, store)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """Whoever asked has ended meanwhile."""

    server = Server(("127.0.0.1", 0), Handler)
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield store
    finally:
        store.resume.set()
        server.shutdown()
        server.server_close()
        thread.join()


def answer(request: BaseHTTPRequestHandler, store: StoreServer) -> None:
    wanted = request.headers.get("Range") if store.has_ranges else None
    path = unquote(request.path)
    store.asked.append((path, wanted))
    file = store.root / path.lstrip("/")
    if store.takes("num_refused") or not file.is_file():
        request.send_response(404 if not file.is_file() else store.refusal)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    data = file.read_bytes()
    total = len(data)
    if wanted is None:
        request.send_response(200)
    else:
        first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted).groups()
        start, end = (total - int(last), total) if not first else (int(first), int(last) + 1)
        data = data[start:end]
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
    request.send_header("Content-Length", str(len(data)))
    request.send_header("Last-Modified", formatdate(0, usegmt=True))
    request.end_headers()
    if store.stall_at is not None and path.endswith(store.stall_at):
        request.wfile.write(data[: len(data) // 2])
        store.stalled.set()
        store.resume.wait()
        data = data[len(data) // 2 :]
    elif store.takes("num_broken"):
        request.wfile.write(data[: len(data) // 2])
        request.close_connection = True
        return
    request.wfile.write(data)
