"""`list`: the stacks that are known here."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import begin
from provisioner.commands.options import stack_options


@click.command("list")
@stack_options
def list_(**given: Any) -> int:
    """List the stacks that are known here."""
    from provisioner.workflows.stack_list import list_stacks
    from provisioner.workspace import Workspace

    console, workspace = begin(given)
    return list_stacks(console, [workspace] if workspace.is_local else [workspace, Workspace.here(local=True)])
