"""`status`: every resource and how the stack is now; with `--cached`, as the last run left it."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, for_each_stack, known_suffix, open_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import Duration, stack_options
from provisioner.errors import NoSuchStack, UsageError, amount
from provisioner.terminal.console import Console
from provisioner.terminal.outputs import USUAL_PHASE, show_outputs, show_resources
from provisioner.workspace import Workspace, as_sentence, next_steps, unfinished_teardown
from state.stack_state import ACCOUNT_WIDE_TYPES, StackState

_CACHED_COLUMNS = ("node", "kind", "phase", "id")


@click.command(cls=Command)
@stack_options
@click.option("--all", "everything", is_flag=True, help="Every stack known here.")
@click.option("--cached", is_flag=True, help="From the state file alone: no call.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--resources", is_flag=True, help="Add the table of all resources with their ids.")
@click.option("--events", is_flag=True, help="All recent events and every measure, on a terminal too.")
@click.option("--every", type=Duration(), default="5s", show_default=True, help="How often, with --watch.")
def status(
    everything: bool, cached: bool, watch: bool, resources: bool, events: bool, every: float, **given: Any
) -> int:
    """Show how the stack is now and what is amiss, then the outputs; 0 only when all is healthy."""
    console, workspace = console_and_workspace(given)
    if watch and (cached or everything):
        raise UsageError("--watch looks at one stack in AWS.", "Leave --cached and --all out.")
    suffixes = workspace.suffixes() if everything else [known_suffix(workspace, given["suffix"])]
    if cached:
        return for_each_stack(
            console,
            workspace,
            suffixes,
            lambda suffix: print_cached_status(console, workspace, suffix, with_resources=resources),
        )
    from provisioner.commands.status_report import print_status, watch_status

    if watch:
        return watch_status(console, open_session(given, workspace, suffixes[0]), every)
    return for_each_stack(
        console,
        workspace,
        suffixes,
        lambda suffix: print_status(
            console, open_session(given, workspace, suffix), with_resources=resources, with_events=events
        ),
    )


def print_cached_status(console: Console, workspace: Workspace, suffix: str, *, with_resources: bool) -> int:
    """Print how the last run left the stack, then the outputs; return 1 if it did not end well."""
    state = workspace.load_state(suffix)
    if state is None:
        raise NoSuchStack(f"No stack {suffix} is known {workspace.description}.")
    rows = [
        {"node": name, "kind": resource_state.type_name, "phase": resource_state.phase, "id": resource_state.id}
        for name, resource_state in state.resources.items()
        if resource_state.type_name not in ACCOUNT_WIDE_TYPES
    ]
    unfinished = unfinished_teardown(state)
    if console.as_json:
        fields = {"outputs": state.outputs, "unfinished": unfinished}
        console.record("status", suffix=state.suffix, cached=True, resources=rows, **fields)
    else:
        _print_summary(console, workspace, state, rows)
        if with_resources:
            show_resources(console, rows, _CACHED_COLUMNS)
        show_outputs(console, state.outputs, "table")
    return 0 if all(row["phase"] == USUAL_PHASE for row in rows) and not unfinished else 1


def _print_summary(console: Console, workspace: Workspace, state: StackState, rows: list[dict[str, str]]) -> None:
    """Print whether all is ready, where the stack is, what a teardown has left undone, and what is not ready."""
    unready = [row for row in rows if row["phase"] != USUAL_PHASE]
    resources = amount(len(rows), "resource")
    verdict = f"{len(unready)} of {resources} were not ready" if unready else f"All {resources} were ready"
    console.text(f"{verdict} when the last run ended (from the state file).")
    console.text(f"{state.suffix}: {state.location.description}")
    if unfinished := unfinished_teardown(state):
        console.text(f"{as_sentence(unfinished)}.")
        console.text(next_steps(workspace, state.suffix))
    for row in unready:
        console.text(f"! {row['node']}  {row['kind']}  {row['phase']}")
    console.text()
