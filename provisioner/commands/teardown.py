"""`teardown`: remove the stack, in reverse order."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import console_and_workspace, open_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import lock_option, stack_options, take_over_option, yes_option
from provisioner.errors import UsageError


@click.command(cls=Command)
@stack_options
@yes_option
@lock_option
@take_over_option
@click.option("--unprotect", is_flag=True, help="Take the protection against deletion off, then remove.")
@click.option("--dry-run", is_flag=True, help="Show it, as `plan --destroy` does, and change nothing.")
def teardown(yes: bool, lock_timeout: float, dry_run: bool, unprotect: bool, **given: Any) -> int:
    """Remove the stack, in reverse order."""
    from provisioner.commands.plan_report import PlanView
    from provisioner.commands.stack_teardown import tear_down_stack
    from provisioner.commands.teardown_plan import show_teardown_plan

    console, workspace = console_and_workspace(given)
    if dry_run:
        return show_teardown_plan(
            console, open_session(given, workspace, workspace.choose_suffix(given["suffix"])), PlanView()
        )
    source = click.get_current_context().get_parameter_source("suffix")
    if yes and source is not click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--yes removes only a stack that is named on the command line.", "Add --suffix NAME.")
    suffix = workspace.choose_suffix(given["suffix"])
    return tear_down_stack(
        console, open_session(given, workspace, suffix), Confirmation(yes), lock_timeout, unprotect=unprotect
    )
