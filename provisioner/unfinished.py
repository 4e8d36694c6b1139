"""A teardown that has begun and not ended: what every command about the stack says of it."""

from __future__ import annotations

from provisioner.engine.mark import stamp
from provisioner.errors import Incomplete
from provisioner.workspace import Workspace
from state.document import Document


def unfinished_teardown(document: Document | None) -> str:
    """Return that a teardown has begun and not ended, as a clause; "" where none has."""
    if document is None or not document.teardown_began:
        return ""
    return f"a teardown began at {stamp(document.teardown_began)} and has not ended"


def as_sentence(clause: str) -> str:
    """Return a clause as a sentence begins."""
    return clause[:1].upper() + clause[1:]


def ways_on(workspace: Workspace, suffix: str) -> str:
    """Return what finishes a teardown, and what takes the stack back from it."""
    return (
        f"`{workspace.command('teardown', suffix)}` finishes it; "
        f"`{workspace.command('apply', suffix)}` brings the stack back up."
    )


def lacking(workspace: Workspace, suffix: str, document: Document | None, what: str) -> Incomplete:
    """Return the error that a stack has no outputs, or no address: they are gone, or were never there."""
    if began := unfinished_teardown(document):
        return Incomplete(f"The stack {suffix} has no {what} any more: {began}.", ways_on(workspace, suffix))
    return Incomplete(
        f"The stack {suffix} has no {what} yet: no apply of the whole stack has ended well.",
        f"`{workspace.command('apply', suffix)}` goes on.",
    )
