"""Starts the media server: `python -m pipelines.media`."""

from __future__ import annotations

import argparse
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn

from bagmill.dataset import Dataset
from bagmill.deployment import MediaSettings
from bagmill.errors import BagmillError
from pipelines.deployment import load_deployment
from pipelines.media.app import build_app

_GRACE_S = 2
"""How long a film that is being played may hold up the end."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted.

    Returns:
        The exit code: 0 when interrupted, 2 where the deployment's file or the address is not right.
    """
    options = _parser().parse_args(arguments)
    try:
        deployment = load_deployment(options.deployment)
    except BagmillError as err:
        print(err, file=sys.stderr)
        return 2
    asked = {name: value for name in ("host", "port") if (value := getattr(options, name)) is not None}
    settings = deployment.media.model_copy(update=asked)
    try:
        listener = _listen(settings)
    except OSError as err:
        reason = (err.strerror or str(err)).split(" (while")[0]  # which names the address once more
        print(
            f"Cannot listen at {settings.host}, port {settings.port} ({reason}). Choose another port "
            "(`media.port` in the deployment's file, or --port), or end what listens there.",
            file=sys.stderr,
        )
        return 2
    with listener:
        print(f"Media server at {_address(listener)}, over {deployment.dataset}; Ctrl-C ends it.", flush=True)
        config = uvicorn.Config(
            build_app(Dataset(deployment.dataset), settings),
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_S,
        )
        with suppress(KeyboardInterrupt):  # raised again by the server once it has ended
            uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(settings: MediaSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.media",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A web server for looking at episodes: it plays their films and shows contact sheets, depth in colours,\n"
        "plots of rates and skew, and reports. Links in Dagster's web UI lead to it. It only reads.",
        epilog="What it shows and where it listens stands in the deployment's file (sections `dataset` and `media`;\n"
        "examples/deployment.yaml explains them). The file is the one that BAGMILL_DEPLOYMENT names, else\n"
        "var/deployment.yaml.\n\n"
        "  python -m pipelines.media                                     as the deployment's file says\n"
        "  python -m pipelines.media --deployment site.yaml --port 8080  another file, another port\n"
        "  make ui                                                       this and Dagster's web UI together\n\n"
        "It asks nobody for a password. Let it listen at 127.0.0.1, or where everybody who can reach it may look.",
    )
    parser.add_argument("--deployment", type=Path, metavar="FILE", help="the deployment's file")
    parser.add_argument("--host", help="address to listen at, in place of `media.host`")
    parser.add_argument("--port", type=_port, help="port to listen at, in place of `media.port`; 0: any that is free")
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, found {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
