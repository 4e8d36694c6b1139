"""`diff`: what differs between two runs."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.completion import by
from provisioner.commands.context import begin
from provisioner.commands.options import state_options


@click.command()
@state_options
@click.argument("run", default="last~1", shell_complete=by("runs"))
@click.argument("other", default="last", shell_complete=by("runs"))
def diff(run: str, other: str, **given: Any) -> int:
    """Show what differs between two runs: what was typed, settings, plan, durations, calls, result."""
    from provisioner.workflows import history as looking_back

    console, workspace = begin(given)
    return looking_back.diff(console, workspace, given["suffix"], run, other)
