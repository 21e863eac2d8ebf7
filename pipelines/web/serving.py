"""A web server of this project's from its first word to its last."""

from __future__ import annotations

import argparse
import socket
from contextlib import suppress
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from bagmill.errors import BagmillError

_GRACE_S: Final = 2
"""How long a film that is being played, or a page that listens, may hold up the end."""
_MAX_MESSAGE_BYTES: Final = 2**20
"""Of a WebSocket."""


class ListenError(BagmillError):
    """An address that cannot be listened at."""


def listen(host: str, port: int, *, settings: str) -> socket.socket:
    """Listen; nothing is answered yet.

    Args:
        host: Address or name.
        port: 0: any that is free.
        settings: The section of the deployment's file which says where, for the message.

    Raises:
        ListenError: It is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as err:
        reason = (err.strerror or str(err)).split(" (while")[0]  # which names the address once more
        raise ListenError(
            f"Cannot listen at {host}, port {port} ({reason})",
            remedy=f"Choose another port (`{settings}.port` in the deployment's file, or --port), or end what listens there",
        ) from err


def address_of(listener: socket.socket) -> str:
    """The address that a browser on this machine takes."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened at
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(app: ASGIApp, *, has_websockets: bool = False) -> uvicorn.Server:
    """What answers, by HTTP 1.1; `run(sockets=[...])` starts it."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            # Python's own loop runs the handler of a signal whenever one comes; with uvloop, a server was seen to miss SIGTERM.
            loop="asyncio",
            # The reader that refuses a request with no `Host`, or with two, and leaves its target as it was sent.
            http="h11",
            ws="auto" if has_websockets else "none",
            ws_max_size=_MAX_MESSAGE_BYTES,
            # Who a proxy says that it speaks for changes nothing here.
            proxy_headers=False,
            server_header=False,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


def serve(app: ASGIApp, listener: socket.socket, *, has_websockets: bool = False) -> None:
    """Answer until interrupted or told to end."""
    with suppress(KeyboardInterrupt):  # raised again by the server once it has ended
        make_server(app, has_websockets=has_websockets).run(sockets=[listener])


def port_number(text: str) -> int:
    """A port of the command line: 0 to 65535."""
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, found {text!r}")
    return int(text)
