"""`list`: the stacks that are known here."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace
from provisioner.commands.options import stack_options


@click.command("list")
@stack_options
def list_(**given: Any) -> int:
    """List the stacks that are known here."""
    from provisioner.commands.stack_list import list_stacks
    from provisioner.workspace import Workspace

    console, workspace = console_and_workspace(given)
    return list_stacks(console, [workspace] if workspace.is_local else [workspace, Workspace.here(local=True)])
