"""`open`: show the stack's address in a browser."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import begin, known_suffix
from provisioner.commands.options import stack_options


@click.command("open")
@stack_options
@click.option("--print", "only_print", is_flag=True, help="Print the address, and open nothing.")
def open_(only_print: bool, **given: Any) -> int:
    """Show the stack's address in a browser; calls nothing."""
    from provisioner.workflows import open_url

    console, workspace = begin(given)
    return open_url.visit(console, workspace, known_suffix(workspace, given["suffix"]), only_print=only_print)
