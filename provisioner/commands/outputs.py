"""`outputs`: the stack's outputs, or one of them."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.context import console_and_workspace, known_suffix
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options
from provisioner.errors import UsageError


@click.command(cls=Command)
@stack_options
@click.argument("name", required=False, shell_complete=complete_from("outputs"))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "env", "github"]),
    help="env and github are lines of NAME=VALUE.",
)
def outputs(name: str | None, form: str | None, **given: Any) -> int:
    """Print the outputs as the last apply left them, or one of them."""
    from provisioner.terminal.outputs import show_outputs
    from provisioner.workspace import unfinished_stack_error

    console, workspace = console_and_workspace(given)
    suffix = known_suffix(workspace, given["suffix"])
    state = workspace.load_state(suffix)
    values = state.outputs if state else {}
    if not values:
        raise unfinished_stack_error(workspace, suffix, state, "outputs")
    if name is not None and name not in values:
        raise UsageError(f"There is no output {name}.", f"There are: {', '.join(values)}.")
    if name is None or form or given["as_json"]:
        show_outputs(console, values if name is None else {name: values[name]}, form or "table")
    else:
        console.data(values[name])
    return 0
