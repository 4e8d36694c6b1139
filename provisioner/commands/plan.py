"""`plan`, in all its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import (
    console_and_workspace,
    open_session,
    raise_missing_suffix,
    selection_from,
    settings_from,
)
from provisioner.commands.help_page import Command
from provisioner.commands.options import (
    keep_settings_option,
    markdown_option,
    selection_options,
    stack_options,
    take_option,
)
from provisioner.errors import UsageError


@click.command(cls=Command)
@stack_options
@keep_settings_option
@take_option
@selection_options
@click.option("--all", "everything", is_flag=True, help="Every stack known here.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@click.option("--offline", is_flag=True, help="Call nothing: print the full declared graph.")
@click.option("--destroy", is_flag=True, help="Show what teardown would do.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the plan: `apply FILE` does exactly that.")
@markdown_option
@click.option("--refresh-prices", is_flag=True, help="Ask the AWS Price List API first.")
def plan(
    everything: bool, detailed_exitcode: bool, offline: bool, destroy: bool, out: Path | None, **given: Any
) -> int:
    """Show what apply would do; changes nothing."""
    from provisioner.commands.declared_graph import print_declared_stack
    from provisioner.commands.plan_report import PlanFile, PlanView, plan_stack, plan_stacks
    from provisioner.commands.teardown_plan import show_teardown_plan

    if (offline or destroy) and (given["targets"] or given["excludes"]):
        raise UsageError("--target and --exclude choose a part of what an apply does.")
    if offline and given["keep_settings"]:
        raise UsageError("--keep-settings reads what runs, and --offline calls nothing.", "Leave one of them out.")
    if out and (everything or offline or destroy):
        raise UsageError("--out keeps the plan of one apply.", "Leave --all, --offline and --destroy out.")
    console, workspace = console_and_workspace(given)
    suffixes = workspace.suffixes() if everything else [given["suffix"] or raise_missing_suffix()]
    if offline:
        settings = settings_from(given)
        codes = [print_declared_stack(console, workspace, suffix, settings, given["region"]) for suffix in suffixes]
        return max(codes, default=0)
    view = PlanView(detailed_exitcode, everything, given["refresh_prices"], given["markdown"])
    if destroy:
        codes = [show_teardown_plan(console, open_session(given, workspace, suffix), view) for suffix in suffixes]
        return max(codes, default=0)
    selection = selection_from(given)
    if everything:
        from provisioner.location import AwsConnections

        connections = AwsConnections(workspace)
        sessions = [open_session(given, workspace, suffix, connections) for suffix in suffixes]
        return plan_stacks(console, sessions, view, selection)
    plan_file = PlanFile(out, given["config"], given["sets"]) if out else None
    return plan_stack(console, open_session(given, workspace, suffixes[0]), view, selection, plan_file)
