"""The commands that create a stack, look at it, and tear it down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.cli.completion import by
from provisioner.cli.opening import (
    begin,
    each_known,
    given_choice,
    kept_plan,
    known_suffix,
    missing_suffix,
    open_session,
)
from provisioner.cli.options import (
    Duration,
    choice_options,
    lock_option,
    stack_options,
    take_option,
    take_over_option,
    yes_option,
)
from provisioner.errors import UsageError


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
    from provisioner.commands import applying
    from provisioner.commands.asking import Confirmation

    console, workspace = begin(given)
    if plan_file:
        kept = kept_plan(plan_file, given)
        options = applying.ApplyOptions(Confirmation(yes=True), lock_timeout, not skip_preflight, kept.choice, kept)
        return applying.apply(console, open_session(given, workspace, kept.suffix), options)
    options = applying.ApplyOptions(Confirmation(yes), lock_timeout, not skip_preflight, given_choice(given))
    session = open_session(given, workspace, given["suffix"] or missing_suffix())
    return applying.apply(console, session, options)


@click.command()
@stack_options
@click.option("--all", "everything", is_flag=True, help="Every stack known here.")
@click.option("--cached", is_flag=True, help="From the state file alone: no call.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--every", type=Duration(), default="5s", show_default=True, help="How often, with --watch.")
def status(everything: bool, cached: bool, watch: bool, every: float, **given: Any) -> int:
    """Show every resource and how the stack is now, then the outputs; 0 only when all is well."""
    console, workspace = begin(given)
    if watch and (cached or everything):
        raise UsageError("--watch looks at one stack in AWS.", "Leave --cached and --all out.")
    suffixes = workspace.suffixes() if everything else [known_suffix(workspace, given["suffix"])]
    if cached:
        from provisioner.commands import remembering

        return each_known(console, workspace, suffixes, lambda one: remembering.cached(console, workspace, one))
    from provisioner.commands import showing, watching

    if watch:
        return watching.watch(console, open_session(given, workspace, suffixes[0]), every)
    return each_known(
        console, workspace, suffixes, lambda one: showing.status(console, open_session(given, workspace, one))
    )


@click.command()
@stack_options
@click.argument("name", required=False, shell_complete=by("outputs"))
@click.option("--format", "form", type=click.Choice(["table", "json", "env", "github"]))
def outputs(name: str | None, form: str | None, **given: Any) -> int:
    """Print the outputs as the last apply left them, or one of them."""
    from provisioner.terminal.outputs import show_outputs
    from provisioner.unfinished import lacking

    console, workspace = begin(given)
    suffix = known_suffix(workspace, given["suffix"])
    state = workspace.load_state(suffix)
    values = state.outputs if state else {}
    if not values:
        raise lacking(workspace, suffix, state, "outputs")
    if name is not None and name not in values:
        raise UsageError(f"There is no output {name}.", f"There are: {', '.join(values)}.")
    if name is None or form or given["as_json"]:
        show_outputs(console, values if name is None else {name: values[name]}, form or "table")
    else:
        console.data(values[name])
    return 0


@click.command()
@stack_options
@yes_option
@lock_option
@take_over_option
@click.option("--unprotect", is_flag=True, help="Take the protection against deletion off, then remove.")
@click.option("--dry-run", is_flag=True, help="Show it, as `plan --destroy` does, and change nothing.")
def teardown(yes: bool, lock_timeout: float, dry_run: bool, unprotect: bool, **given: Any) -> int:
    """Remove the stack, in reverse order."""
    from provisioner.commands import removing
    from provisioner.commands.asking import Confirmation
    from provisioner.commands.destroying import show_teardown_plan
    from provisioner.commands.planning import PlanView

    console, workspace = begin(given)
    if dry_run:
        return show_teardown_plan(
            console, open_session(given, workspace, workspace.choose(given["suffix"])), PlanView()
        )
    source = click.get_current_context().get_parameter_source("suffix")
    if yes and source is not click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--yes removes only a stack that is named on the command line.", "Add --suffix NAME.")
    suffix = workspace.choose(given["suffix"])
    return removing.teardown(
        console, open_session(given, workspace, suffix), Confirmation(yes), lock_timeout, unprotect=unprotect
    )


@click.command("verify-gone")
@stack_options
def verify_gone(**given: Any) -> int:
    """Look again whether anything of a stack is left; needs no state file."""
    from provisioner.commands import removing

    console, workspace = begin(given)
    suffix = given["suffix"] or missing_suffix()
    known = None if given["region"] else removing.last_region(workspace, suffix)
    session = open_session({**given, "region": given["region"] or known}, workspace, suffix)
    if known:
        session.region_source = "the report of its last teardown"
    return removing.verify_gone(console, session)


@click.command("list")
@stack_options
def list_(**given: Any) -> int:
    """List the stacks that are known here."""
    from provisioner.commands.listing import list_stacks
    from provisioner.workspace import Workspace

    console, workspace = begin(given)
    return list_stacks(console, [workspace] if workspace.is_local else [workspace, Workspace.here(local=True)])
