"""`status --cached`: the stack as its state describes it; makes no call, and imports no boto3."""

from __future__ import annotations

from provisioner.errors import NoSuchStack
from provisioner.terminal.console import Console, table_lines
from provisioner.terminal.outputs import show_outputs
from provisioner.workspace import Workspace, as_sentence, next_steps, unfinished_teardown
from state.stack_state import StackState

_CACHED_COLUMNS = ("node", "kind", "phase", "id")


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
