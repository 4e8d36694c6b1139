"""`diff`: what differs between two runs."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.context import console_and_workspace
from provisioner.commands.help_page import Command
from provisioner.commands.options import state_options


@click.command(cls=Command)
@state_options
@click.argument("run", default="last~1", shell_complete=complete_from("runs"))
@click.argument("other", default="last", shell_complete=complete_from("runs"))
def diff(run: str, other: str, **given: Any) -> int:
    """Show what differs between two runs: what was typed, settings, plan, durations, calls, result."""
    from provisioner.commands.run_history import print_run_diff

    console, workspace = console_and_workspace(given)
    return print_run_diff(console, workspace, given["suffix"], run, other)
