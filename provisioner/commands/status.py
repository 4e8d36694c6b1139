"""`status`: every resource and how the stack is now."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, for_each_stack, known_suffix, open_session
from provisioner.commands.options import Duration, stack_options
from provisioner.errors import UsageError


@click.command()
@stack_options
@click.option("--all", "everything", is_flag=True, help="Every stack known here.")
@click.option("--cached", is_flag=True, help="From the state file alone: no call.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--every", type=Duration(), default="5s", show_default=True, help="How often, with --watch.")
def status(everything: bool, cached: bool, watch: bool, every: float, **given: Any) -> int:
    """Show every resource and how the stack is now, then the outputs; 0 only when all is well."""
    console, workspace = console_and_workspace(given)
    if watch and (cached or everything):
        raise UsageError("--watch looks at one stack in AWS.", "Leave --cached and --all out.")
    suffixes = workspace.suffixes() if everything else [known_suffix(workspace, given["suffix"])]
    if cached:
        from provisioner.commands import cached_status

        return for_each_stack(
            console, workspace, suffixes, lambda one: cached_status.print_cached_status(console, workspace, one)
        )
    from provisioner.commands import status_report as showing
    from provisioner.commands import status_report as watching

    if watch:
        return watching.watch_status(console, open_session(given, workspace, suffixes[0]), every)
    return for_each_stack(
        console, workspace, suffixes, lambda one: showing.print_status(console, open_session(given, workspace, one))
    )
