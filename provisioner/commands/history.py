"""`history`: the newest runs of a stack, or of all."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace
from provisioner.commands.help_page import Command
from provisioner.commands.options import state_options


@click.command(cls=Command)
@state_options
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="The newest; 0 for all.")
def history(limit: int, **given: Any) -> int:
    """List the newest runs of a stack, or of all: who, what was typed, plan, duration, result."""
    from provisioner.commands.run_history import list_runs

    console, workspace = console_and_workspace(given)
    return list_runs(console, workspace, given["suffix"], limit)
