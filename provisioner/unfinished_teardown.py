"""Messages about a teardown that has begun and not ended, for every command about the stack."""

from __future__ import annotations

from provisioner.engine.run_marker.mark import stamp
from provisioner.errors import Incomplete
from provisioner.workspace import Workspace
from state.stack_state import StackState


def unfinished_teardown(state: StackState | None) -> str:
    """Return a clause that says since when a teardown is unfinished; "" if none is."""
    if state is None or not state.teardown_began:
        return ""
    return f"a teardown began at {stamp(state.teardown_began)} and has not ended"


def as_sentence(clause: str) -> str:
    """Return a clause with a capital letter at its beginning."""
    return clause[:1].upper() + clause[1:]


def next_steps(workspace: Workspace, suffix: str) -> str:
    """Return a sentence with the commands that finish a teardown, or bring the stack back up."""
    return (
        f"`{workspace.command('teardown', suffix)}` finishes it; "
        f"`{workspace.command('apply', suffix)}` brings the stack back up."
    )


def unfinished_error(workspace: Workspace, suffix: str, state: StackState | None, what: str) -> Incomplete:
    """Return the error that a stack has no `what`, such as outputs: they are gone, or were never there."""
    if began := unfinished_teardown(state):
        return Incomplete(f"The stack {suffix} has no {what} any more: {began}.", next_steps(workspace, suffix))
    return Incomplete(
        f"The stack {suffix} has no {what} yet: no apply of the whole stack has ended well.",
        f"`{workspace.command('apply', suffix)}` goes on.",
    )
