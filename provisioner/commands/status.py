"""`status`: every resource and how the stack is now; with `--cached`, as the last run left it."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, for_each_stack, known_suffix, open_session
from provisioner.commands.options import Duration, stack_options
from provisioner.errors import NoSuchStack, UsageError
from provisioner.terminal.console import Console, table_lines
from provisioner.terminal.outputs import show_outputs
from provisioner.workspace import Workspace, as_sentence, next_steps, unfinished_teardown
from state.stack_state import StackState

_CACHED_COLUMNS = ("node", "kind", "phase", "id")


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
        return for_each_stack(
            console, workspace, suffixes, lambda suffix: print_cached_status(console, workspace, suffix)
        )
    from provisioner.commands.status_report import print_status, watch_status

    if watch:
        return watch_status(console, open_session(given, workspace, suffixes[0]), every)
    return for_each_stack(
        console, workspace, suffixes, lambda suffix: print_status(console, open_session(given, workspace, suffix))
    )


def print_cached_status(console: Console, workspace: Workspace, suffix: str) -> int:
    """Print every resource as the last run left it, then the outputs; return 1 if a run did not end well."""
    state = workspace.load_state(suffix)
    if state is None:
        raise NoSuchStack(f"No stack {suffix} is known {workspace.description}.")
    rows = [
        {"node": name, "kind": resource_state.type_name, "phase": resource_state.phase, "id": resource_state.id}
        for name, resource_state in state.resources.items()
    ]
    unfinished = unfinished_teardown(state)
    _print_resources(console, state, rows, unfinished)
    if unfinished and not console.as_json:
        console.data(f"{as_sentence(unfinished)}.")
        console.data(next_steps(workspace, suffix))
    return 0 if all(row["phase"] == "ready" for row in rows) and not unfinished else 1


def _print_resources(console: Console, state: StackState, rows: list[dict[str, str]], unfinished: str) -> None:
    """Print the resources and the outputs, or all as one JSON record."""
    if console.as_json:
        fields = {"outputs": state.outputs, "unfinished": unfinished}
        console.record("status", suffix=state.suffix, cached=True, resources=rows, **fields)
        return
    location = state.location
    console.data(f"{state.suffix}: account {location.account}, region {location.region}, as the last run left it")
    for line in table_lines(([row[key] for key in _CACHED_COLUMNS] for row in rows), _CACHED_COLUMNS):
        console.data(line)
    console.data("")
    show_outputs(console, state.outputs, "table")
