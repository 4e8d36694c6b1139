"""`history`: the newest runs of a stack, or of all."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import begin
from provisioner.commands.options import state_options


@click.command()
@state_options
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="The newest; 0 for all.")
def history(limit: int, **given: Any) -> int:
    """List the newest runs of a stack, or of all: who, what was typed, plan, duration, result."""
    from provisioner.workflows import history as looking_back

    console, workspace = begin(given)
    return looking_back.history(console, workspace, given["suffix"], limit)
