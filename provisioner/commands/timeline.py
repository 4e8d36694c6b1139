"""`timeline`: the command that shows how a run went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.context import console_and_workspace
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command)
@stack_options
@click.argument("run", default="", shell_complete=complete_from("runs"))
@click.option("--html", "page", type=_FILE, help="Write it as one HTML page.")
@click.option("--trace", type=_FILE, help="Write it as trace events, for Perfetto or chrome://tracing.")
def timeline(run: str, page: Path | None, trace: Path | None, **given: Any) -> int:
    """Show a RUN, else the last one with steps: calls, waits, and the chain that set its length."""
    from provisioner.commands.run_timeline import print_timeline

    console, workspace = console_and_workspace(given)
    return print_timeline(console, workspace, given["suffix"], run, page=page, trace=trace)
