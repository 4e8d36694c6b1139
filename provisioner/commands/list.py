"""`list`: the stacks that are known here, their sizes, and the states that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from provisioner.commands.context import console_and_workspace
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options
from provisioner.errors import NoSuchStack
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace, unfinished_teardown
from state.errors import StateError

_COLUMNS = ("suffix", "account", "region", "resources")


@click.command("list", cls=Command)
@stack_options
def list_(**given: Any) -> int:
    """List the stacks that are known here."""
    console, workspace = console_and_workspace(given)
    return list_stacks(console, [workspace] if workspace.is_local else [workspace, Workspace.here(local=True)])


def list_stacks(console: Console, workspaces: Iterable[Workspace]) -> int:
    """Print every stack with its location and size; return the exit code.

    A damaged state is named, and hides no other stack. The exit code is the highest of all stacks, as in
    `status --all`: that of NoSuchStack for a stack whose emulator has ended.
    """
    rows = [row for workspace in workspaces for row in _stack_rows(workspace)]
    stacks = [row for row in rows if not isinstance(row, StateError)]
    ended_stacks = [str(row["suffix"]) for row in stacks if row["over"]]
    damaged = [row for row in rows if isinstance(row, StateError)]
    if console.as_json:
        console.record("list", stacks=stacks, damaged=[error.message for error in damaged])
    else:
        console.table(([str(row[name]) for name in _COLUMNS] for row in stacks), _COLUMNS)
    if ended_stacks:
        console.warn(
            f"The local AWS that held {', '.join(ended_stacks)} has ended, and what it held with it.",
            "`apply --local` brings one up again; `teardown --local` removes what its state file tells.",
        )
    for row in stacks:
        if row["unfinished"] and not console.as_json:
            console.note(f"{row['suffix']}: {row['unfinished']}; `status` shows what is left.", "yellow")
    for error in damaged:
        console.warn(error.message, error.hint)
    codes = [error.exit_code for error in damaged] + [NoSuchStack.exit_code] * bool(ended_stacks)
    return max(codes, default=0)


def _stack_rows(workspace: Workspace) -> Iterator[dict[str, Any] | StateError]:
    """Yield one row for each stack, or the error of its state."""
    try:
        suffixes = workspace.suffixes()
    except StateError as error:
        yield error
        return
    for suffix in suffixes:
        try:
            state = workspace.load_state(suffix)
        except StateError as error:
            yield error
            continue
        if state:
            account = "embedded" if workspace.is_local else state.location.account
            has_ended = workspace.emulator_has_ended(state)
            cells = (suffix, account, state.location.region, 0 if has_ended else state.resource_count)
            unfinished = unfinished_teardown(state)
            yield {**dict(zip(_COLUMNS, cells, strict=True)), "over": has_ended, "unfinished": unfinished}
