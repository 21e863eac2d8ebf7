"""Starts the media server: `python -m pipelines.media`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bagmill.dataset import Dataset
from bagmill.errors import BagmillError
from pipelines.deployment import load_deployment
from pipelines.last_good import load_in_force
from pipelines.media.app import build_app
from pipelines.web.serving import address_of, listen, port_number, serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted.

    Returns:
        The exit code: 0 when interrupted, 2 where the deployment's file or the address is not right.
    """
    options = _parser().parse_args(arguments)
    try:
        deployment = load_deployment(options.deployment) if options.deployment else load_in_force().deployment
    except BagmillError as err:
        print(err, file=sys.stderr)
        return 2
    asked = {name: value for name in ("host", "port") if (value := getattr(options, name)) is not None}
    settings = deployment.media.model_copy(update=asked)
    try:
        listener = listen(settings.host, settings.port, settings="media")
    except BagmillError as err:
        print(err, file=sys.stderr)
        return 2
    with listener:
        print(f"Media server at {address_of(listener)}, over {deployment.dataset}; Ctrl-C ends it.", flush=True)
        serve(build_app(Dataset(deployment.dataset), settings, hosts=deployment.web.hosts), listener)
    return 0


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
        "It asks nobody for a password. Let it listen at 127.0.0.1, or where everybody who can reach it may look.\n"
        "It answers to the names of this machine, those in `media`, and those in `web.hosts`.",
    )
    parser.add_argument("--deployment", type=Path, metavar="FILE", help="the deployment's file")
    parser.add_argument("--host", help="address to listen at, in place of `media.host`")
    parser.add_argument(
        "--port", type=port_number, help="port to listen at, in place of `media.port`; 0: any that is free"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
