"""The entry point: runs one command, and exits with its code."""

from __future__ import annotations

import gc
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from provisioner import __version__, stopping
from provisioner.commands.command_table import CommandGroup
from provisioner.commands.hints import complete_hint
from provisioner.errors import Interrupted, UsageError
from provisioner.names import PROGRAM
from state.errors import ProvisionerError

if TYPE_CHECKING:
    from provisioner.terminal.console import Console

# A help page is as wide as the terminal, however wide; click's own bound is 80 columns.
_HELP_WIDTH = 10_000
# New containers between two collections; a look at a stack leaves some 20,000.
_COLLECT_EVERY = 100_000
# Loaded by the options that turn the log on: `logging` would cost all other commands some milliseconds.
_DEBUG_LOG = "provisioner.terminal.debug_log"


@click.group(
    cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _HELP_WIDTH}
)
@click.version_option(__version__, prog_name="ml-api")
def cli() -> None:
    """Bring an ML API stack up on AWS, look at it, and take it down again."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code; no traceback for anything AWS or the user did.

    `arguments` are those of the process if they are not given; then its signals are handled, too.
    """
    from provisioner.terminal.console import Console, output_errors, replace_unencodable

    # Most commands live for seconds, and collecting cycles costs them more than it frees: it is done seldom.
    # Those that go on for hours (`--watch`, `logs --follow`) need it all the same.
    gc.set_threshold(_COLLECT_EVERY, 5, 5)
    if arguments is None:
        stopping.install_signal_handlers()
        replace_unencodable()
        arguments = sys.argv[1:]
    stopping.forget_changes()
    output_errors.clear()
    _unset_empty_variables()
    try:
        code = _run(Console(as_json=_wants_json(arguments)), arguments)
    except Exception:
        if debug_log := sys.modules.get(_DEBUG_LOG):
            debug_log.log_unexpected_error()
        raise
    finally:
        if debug_log := sys.modules.get(_DEBUG_LOG):
            debug_log.end_log()
    sys.exit(code or (ProvisionerError.exit_code if output_errors else 0))


def _wants_json(arguments: list[str]) -> bool:
    """Return whether an error is to be printed as JSON, too: also one in the command line itself."""
    return bool({"--json", "--output=json"} & {*arguments}) or ("--output", "json") in pairwise(arguments)


def _unset_empty_variables() -> None:
    """Unset AWS's variables that are empty: a pipeline leaves them so where a secret is not set."""
    for name in [name for name, value in os.environ.items() if name.startswith("AWS_") and not value]:
        del os.environ[name]


def _run(console: Console, arguments: list[str]) -> int:
    """Run one command and return its exit code; print the error that it ends with, if any."""
    try:
        return int(cli.main(args=arguments, prog_name=PROGRAM, standalone_mode=False, obj=arguments) or 0)
    except Interrupted as error:
        message, hint = stopping.stop_message(error)
        console.error(message, complete_hint(hint, arguments, cli), error.result)
        return error.exit_code
    except ProvisionerError as error:
        message = f"{error.message}\n{error.evidence}".rstrip()
        console.error(message, complete_hint(error.hint, arguments, cli), error.result)
        return error.exit_code
    except click.ClickException as error:
        _print_usage_error(console, error)
        return UsageError.exit_code
    except OSError as error:  # of this machine: what AWS does has words of its own
        message = f"{error.filename or 'Something on this machine'}: {error.strerror or error}."
        console.error(message, "Mend that, then run the same command again: what was done is recorded.")
        return ProvisionerError.exit_code
    except (click.Abort, KeyboardInterrupt) as stop:
        console.error(*stopping.stop_message(), Interrupted.result)
        return stopping.exit_code(stop.__cause__ or stop)  # click raises an Abort in its place


def _print_usage_error(console: Console, error: click.ClickException) -> None:
    """Print what click says of a command line that cannot be run."""
    if console.as_json:
        console.error(error.format_message(), "`--help` tells what can be typed.", UsageError.result)
    else:
        error.show()
