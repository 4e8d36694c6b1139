"""`apply`: create or repair the stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import (
    console_and_workspace,
    load_saved_plan,
    open_session,
    raise_missing_suffix,
    selection_from,
)
from provisioner.commands.help_page import Command
from provisioner.commands.options import (
    keep_settings_option,
    lock_option,
    selection_options,
    stack_options,
    take_option,
    take_over_option,
    yes_option,
)


@click.command(cls=Command)
@stack_options
@keep_settings_option
@yes_option
@lock_option
@take_option
@take_over_option
@selection_options
@click.option("--adopt-all", is_flag=True, help="Put a damaged state file aside and rebuild it from AWS.")
@click.option("--skip-preflight", is_flag=True, help="Go on without the checks before the first change.")
@click.argument("plan_file", required=False, type=click.Path(path_type=Path))
def apply(yes: bool, lock_timeout: float, skip_preflight: bool, plan_file: Path | None, **given: Any) -> int:
    """Create or repair the stack; prints the outputs last. With PLAN_FILE, do exactly what that plan says."""
    from provisioner.commands.plan_execution import ApplyOptions, apply_stack

    console, workspace = console_and_workspace(given)
    if plan_file:
        saved_plan = load_saved_plan(plan_file, given)
        options = ApplyOptions(
            Confirmation(yes=True), lock_timeout, not skip_preflight, saved_plan.selection, saved_plan
        )
        return apply_stack(console, open_session(given, workspace, saved_plan.suffix), options)
    options = ApplyOptions(Confirmation(yes), lock_timeout, not skip_preflight, selection_from(given))
    session = open_session(given, workspace, given["suffix"] or raise_missing_suffix())
    return apply_stack(console, session, options)
