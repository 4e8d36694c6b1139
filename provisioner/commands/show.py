"""`show`: one run, by its name."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.context import console_and_workspace
from provisioner.commands.help_page import Command
from provisioner.commands.options import state_options


@click.command(cls=Command)
@state_options
@click.argument("run", default="last", shell_complete=complete_from("runs"))
def show(run: str, **given: Any) -> int:
    """Show one RUN, by its name, `last` or `last~1`: plan, resources with their stages, calls, result."""
    from provisioner.commands.run_history import print_run

    console, workspace = console_and_workspace(given)
    return print_run(console, workspace, given["suffix"], run)
