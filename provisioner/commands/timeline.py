"""`timeline`: the command that shows how a run went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import console_and_workspace
from provisioner.commands.options import stack_options

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@stack_options
@click.option("--html", "page", type=_FILE, help="Write it as one HTML page.")
@click.option("--trace", type=_FILE, help="Write it as trace events, for Perfetto or chrome://tracing.")
def timeline(page: Path | None, trace: Path | None, **given: Any) -> int:
    """Show the last run: steps, calls, waits, and the chain it could not be shorter than."""
    from provisioner.commands.run_timeline import print_timeline

    console, workspace = console_and_workspace(given)
    return print_timeline(console, workspace, given["suffix"], page=page, trace=trace)
