"""The `bagmill` command: its verbs, its exit codes, and the one place where an error becomes a sentence."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Final, NoReturn

import typer

from bagmill.cli.screen import complain
from bagmill.errors import AddressError, BagmillError, ProfileError, QueryError, SettingsError
from bagmill.forking import allow_forks
from bagmill.local_paths import local_path

VERBS: Final = {
    "scan": "Tell what recordings hold: channels, rates, clocks, damage, and what to mind before training on them.",
    "profile": "Write a profile that fits a recording, to start from: features, clock, rates and tolerances, with the reasons.",
    "ingest": "Make an episode of every recording: check it, align it, encode it, publish it, measure what came out.",
    "recover": "Write what can be read of a recording, damaged or not, as a clean MCAP file, and tell what is missing.",
    "show": "Tell what an episode holds: features, how they are stored, their synchronisation, provenance and quality.",
    "verify": "Read a dataset or episodes back, compare every checksum, decode every frame, and list what is damaged.",
    "repair": "List what is damaged in a dataset and can be made again; with --apply, make it again.",
    "snapshot": "Make snapshots, choose among their episodes, list them and ask them.",
    "stats": "Measure the values of a snapshot's features and keep the result beside it.",
    "export": "Write episodes of a snapshot in the format of others, and tell what that format could not hold.",
    "prune": "List the versions of episodes that nothing needs any more; with --apply, remove them.",
    "deployment": "Look a deployment's configuration file through: settings, folders, profiles, rules, links.",
    "metrics": "List every metric: what it measures, when, and the threshold its check has by default.",
}
"""What each is for, in the order of a recording's way. Each is a function in the module of its name, with its examples in
`EPILOG`; one that is several has them in `ACTIONS`, and what they have in common in `HELP`. The sentences stand here as well,
for to list the verbs none of those modules is imported."""
OK, REFUSED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_CONTEXT = {"help_option_names": ["-h", "--help"]}
_EPILOG = """[bold]A recording's way[/bold]

bagmill scan trial_7.mcap

bagmill profile trial_7.mcap --out robot.yaml

bagmill ingest recordings/ --profile robot.yaml --out dataset/

bagmill show dataset/episodes/trial_7.mcap
"""


def main() -> NoReturn:
    """Run the command with the process's arguments and leave with its exit code."""
    allow_forks()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command; whatever is wrong becomes one line on standard error.

    Args:
        arguments: Without the command's own name.

    Returns:
        0: all went well. 1: a recording or an episode was refused, or is damaged. 2: wrong usage, a wrong profile or condition.
        130: interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows no × must not end the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        for argument in arguments:
            local_path(argument.partition("=")[2] if argument.startswith("-") else argument)
        verb = _verb_of(arguments)
        if verb is not None:
            _put_limits_in_force()
        code = build_app(verb)(list(arguments), prog_name="bagmill", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has enough. What is still buffered must go somewhere, or Python complains while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except (BagmillError, typer.TyperException, OSError) as err:
        return _complain_about(err, _verb_of(arguments))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as err:  # noqa: BLE001 - a fault of ours: whoever uses the command is told in a sentence, too
        return _complain_of_fault(err)
    return code or OK


def _put_limits_in_force() -> None:
    from bagmill.limits import set_limits  # noqa: PLC0415 - pydantic would double the time that a list of the verbs takes
    from bagmill.limits_file import load_limits  # noqa: PLC0415

    set_limits(load_limits())


def _complain_about(error: BagmillError | typer.TyperException | OSError, verb: str | None) -> int:
    """Tell what is wrong and give the exit code."""
    if isinstance(error, BagmillError):
        complain(str(error))
        return WRONG_USAGE if isinstance(error, ProfileError | QueryError | AddressError | SettingsError) else REFUSED
    if isinstance(error, OSError):
        # A folder that may not be listed, a full disk behind standard output.
        reason = error.strerror or str(error)
        complain(f"{error.filename}: {reason}." if error.filename else f"{reason}.")
        return REFUSED
    # Asked for nothing, the command has shown its help and has no more to say.
    if message := " ".join(error.format_message().split()).rstrip("."):
        complain(f"{message}. Try `{' '.join(filter(None, ('bagmill', verb, '--help')))}`.")
    return error.exit_code


def _complain_of_fault(error: Exception) -> int:
    """Tell of an error that nobody foresaw, keep what is known of it, and give the exit code."""
    text = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile("w", prefix="bagmill-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(text)
    complain(
        f"bagmill failed with {type(error).__name__}. Report it as a fault of bagmill, with the traceback in {log.name}."
    )
    return REFUSED


def build_app(verb: str | None) -> typer.Typer:
    """The command with one of its verbs, for all imports together take longer than most commands.

    Args:
        verb: None: the command only lists what verbs it has.
    """
    app = typer.Typer(
        name="bagmill",
        help="Raw robot recordings in; aligned, quality-checked, randomly readable training data out.",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings=_CONTEXT,
    )
    app.callback(invoke_without_command=True)(_bagmill)
    if verb is None:
        for name, sentence in VERBS.items():
            app.command(name, help=sentence)(_only_listed)
    else:
        _add_verb(app, verb)
    return app


def _add_verb(app: typer.Typer, verb: str) -> None:
    module = import_module(f"bagmill.cli.{verb}")
    if hasattr(module, "ACTIONS"):
        group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", context_settings=_CONTEXT)
        for action, function in module.ACTIONS.items():
            group.command(action, help=_paragraphs(function.__doc__))(function)
        app.add_typer(group, name=verb, help=_paragraphs(module.HELP), epilog=module.EPILOG)
    else:
        function = getattr(module, verb)
        app.command(verb, help=_paragraphs(function.__doc__), epilog=module.EPILOG)(function)


def _paragraphs(docstring: str) -> str:
    """A docstring for the help, which would keep line breaks that are meant for the source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in docstring.split("\n\n"))


def _verb_of(arguments: Sequence[str]) -> str | None:
    """The verb that is asked for; None where it is none of ours, or none at all."""
    word = next((argument for argument in arguments if not argument.startswith("-")), None)
    return word if word in VERBS else None


def _only_listed() -> None:
    raise AssertionError("a verb that is named is imported")


def _bagmill(
    context: typer.Context,
    *,
    is_version_asked: Annotated[bool, typer.Option("--version", help="Say which version this is, and stop.")] = False,
) -> None:
    if is_version_asked:
        sys.stdout.write(f"bagmill {version('bagmill')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.BadParameter("no verb is named")
