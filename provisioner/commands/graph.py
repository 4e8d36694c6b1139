"""`graph`: the declared graph as a drawing."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, raise_missing_suffix, settings_from
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options


@click.command(cls=Command)
@stack_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot", "svg", "svg-graph"]),
    default="mermaid",
    show_default=True,
    help="`svg` is a picture of what sits where, `svg-graph` one of every resource and edge.",
)
def graph(form: str, **given: Any) -> int:
    """Print the declared graph as a drawing; calls nothing."""
    from provisioner.commands.declared_graph import declared_stack, print_drawing

    console, workspace = console_and_workspace(given)
    suffix = given["suffix"] or workspace.only_suffix or raise_missing_suffix()
    return print_drawing(console, declared_stack(workspace, suffix, settings_from(given), given["region"]), form)
