"""`status --cached`: the stack as its state describes it; makes no call, and imports no boto3."""

from __future__ import annotations

from provisioner.errors import NoSuchStack
from provisioner.terminal.console import Console, table
from provisioner.terminal.outputs import show_outputs
from provisioner.unfinished_teardown import as_sentence, next_steps, unfinished_teardown
from provisioner.workspace import Workspace
from state.stack_state import StackState

_HEAD = ("node", "kind", "phase", "id")


def cached(console: Console, workspace: Workspace, suffix: str) -> int:
    """Print every resource as the last run left it, then the outputs; return 1 if a run did not end well."""
    state = workspace.load_state(suffix)
    if state is None:
        raise NoSuchStack(f"No stack {suffix} is known {workspace.description}.")
    rows = [
        {"node": name, "kind": resource_state.type_name, "phase": resource_state.phase, "id": resource_state.id}
        for name, resource_state in state.resources.items()
    ]
    began = unfinished_teardown(state)
    _show_cached(console, state, rows, began)
    if began and not console.as_json:
        console.data(f"{as_sentence(began)}.")
        console.data(next_steps(workspace, suffix))
    return 0 if all(row["phase"] == "ready" for row in rows) and not began else 1


def _show_cached(console: Console, state: StackState, rows: list[dict[str, str]], began: str) -> None:
    """Print the resources and the outputs, or all as one JSON record."""
    if console.as_json:
        more = {"outputs": state.outputs, "unfinished": began}
        console.record("status", suffix=state.suffix, cached=True, resources=rows, **more)
        return
    location = state.location
    console.data(f"{state.suffix}: account {location.account}, region {location.region}, as the last run left it")
    for line in table(([row[key] for key in _HEAD] for row in rows), _HEAD):
        console.data(line)
    console.data("")
    show_outputs(console, state.outputs, "table")
