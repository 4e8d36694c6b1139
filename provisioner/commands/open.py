"""`open`: show the stack's address in a browser."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, known_suffix
from provisioner.commands.options import stack_options


@click.command("open")
@stack_options
@click.option("--print", "only_print", is_flag=True, help="Print the address, and open nothing.")
def open_(only_print: bool, **given: Any) -> int:
    """Show the stack's address in a browser; calls nothing."""
    from provisioner.commands import open_url

    console, workspace = console_and_workspace(given)
    return open_url.open_address(console, workspace, known_suffix(workspace, given["suffix"]), print_only=only_print)
