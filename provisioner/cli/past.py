"""`history`, `show`, `diff`: the commands about earlier runs."""

from __future__ import annotations

from typing import Any

import click

from provisioner.cli.completion import by
from provisioner.cli.opening import begin
from provisioner.cli.options import state_options


@click.command()
@state_options
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="The newest; 0 for all.")
def history(limit: int, **given: Any) -> int:
    """List the newest runs of a stack, or of all: who, what was typed, plan, duration, result."""
    from provisioner.commands import looking_back

    console, workspace = begin(given)
    return looking_back.history(console, workspace, given["suffix"], limit)


@click.command()
@state_options
@click.argument("run", default="last", shell_complete=by("runs"))
def show(run: str, **given: Any) -> int:
    """Show one RUN, by its name, `last` or `last~1`: plan, resources with their stages, calls, result."""
    from provisioner.commands import looking_back

    console, workspace = begin(given)
    return looking_back.show(console, workspace, given["suffix"], run)


@click.command()
@state_options
@click.argument("run", default="last~1", shell_complete=by("runs"))
@click.argument("other", default="last", shell_complete=by("runs"))
def diff(run: str, other: str, **given: Any) -> int:
    """Show what differs between two runs: what was typed, settings, plan, durations, calls, result."""
    from provisioner.commands import looking_back

    console, workspace = begin(given)
    return looking_back.diff(console, workspace, given["suffix"], run, other)
