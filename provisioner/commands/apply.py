"""`apply`: create or repair the stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import begin, given_choice, kept_plan, missing_suffix, open_session
from provisioner.commands.options import (
    choice_options,
    lock_option,
    stack_options,
    take_option,
    take_over_option,
    yes_option,
)


@click.command()
@stack_options
@yes_option
@lock_option
@take_option
@take_over_option
@choice_options
@click.option("--adopt-all", is_flag=True, help="Put a damaged state file aside and rebuild it from AWS.")
@click.option("--skip-preflight", is_flag=True, help="Go on without the checks before the first change.")
@click.argument("plan_file", required=False, type=click.Path(path_type=Path))
def apply(yes: bool, lock_timeout: float, skip_preflight: bool, plan_file: Path | None, **given: Any) -> int:
    """Create or repair the stack; prints the outputs last. With PLAN_FILE, do exactly what that plan says."""
    from provisioner.workflows import apply as applying
    from provisioner.workflows.confirmation import Confirmation

    console, workspace = begin(given)
    if plan_file:
        kept = kept_plan(plan_file, given)
        options = applying.ApplyOptions(Confirmation(yes=True), lock_timeout, not skip_preflight, kept.choice, kept)
        return applying.apply(console, open_session(given, workspace, kept.suffix), options)
    options = applying.ApplyOptions(Confirmation(yes), lock_timeout, not skip_preflight, given_choice(given))
    session = open_session(given, workspace, given["suffix"] or missing_suffix())
    return applying.apply(console, session, options)
