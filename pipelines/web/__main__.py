"""Starts Dagster's web UI behind its entry: `python -m pipelines.web`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bagmill.deployment import Deployment
from bagmill.errors import BagmillError
from pipelines.database import prepare
from pipelines.deployment import ROOT
from pipelines.last_good import load_in_force
from pipelines.web.dagster_app import dagster_app
from pipelines.web.doors import Doors
from pipelines.web.guard import Guard
from pipelines.web.names import Names
from pipelines.web.serving import address_of, listen, port_number, serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted.

    Returns:
        The exit code: 0 when interrupted, 2 where the deployment's file, the address or the database is not right.
    """
    options = _parser().parse_args(arguments)
    try:
        deployment = load_in_force().deployment
        host, port = options.host or deployment.web.host, _chosen(options.port, deployment.web.port)
        listener = listen(host, port, settings="web")
        prepare()
    except BagmillError as err:
        print(err, file=sys.stderr)
        return 2
    with listener, dagster_app(options.workspace, is_read_only=options.read_only) as app:
        guarded = Guard(Doors(app, is_read_only=options.read_only), names_of(deployment, host), takes_posts=True)
        what = "Dagster's web UI, to look at only," if options.read_only else "Dagster's web UI"
        print(f"{what} at {address_of(listener)}; Ctrl-C ends it.", flush=True)
        serve(guarded, listener, has_websockets=True)
    return 0


def names_of(deployment: Deployment, host: str) -> Names:
    """What Dagster's web UI is called in a deployment.

    Args:
        deployment: Its settings.
        host: The address listened at.
    """
    urls = (deployment.media.dagster_url, deployment.media.url)
    return Names.of(deployment.web.hosts, listens_at=host, urls=urls)


def _chosen(asked: int | None, setting: int) -> int:
    return setting if asked is None else asked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.web",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Dagster's web UI, behind an entry that takes nothing from other servers' pages: it answers to the names of\n"
        "this machine and to those that the deployment's file has, and takes changes from its own pages and from programs only.",
        epilog="Where it listens stands in the deployment's file (section `web`; examples/deployment.yaml explains it). The\n"
        "file is the one that BAGMILL_DEPLOYMENT names, else var/deployment.yaml. Needs DAGSTER_HOME.\n\n"
        "  python -m pipelines.web                                        as the deployment's file says\n"
        "  python -m pipelines.web --read-only --host 0.0.0.0 --port 3002 for those who may look at it, and no more\n\n"
        "It asks nobody for a password: whoever reaches it can start, change and delete. Let it listen at 127.0.0.1, or\n"
        "where everybody who can reach it may do so.",
    )
    parser.add_argument("--host", help="address to listen at, in place of `web.host`")
    parser.add_argument(
        "--port", type=port_number, help="port to listen at, in place of `web.port`; 0: any that is free"
    )
    parser.add_argument("--read-only", action="store_true", help="take nothing that changes anything")
    parser.add_argument(
        "-w",
        "--workspace",
        type=Path,
        default=ROOT / "workspace.yaml",
        metavar="FILE",
        help="where the definitions are (default: workspace.yaml of this project)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
