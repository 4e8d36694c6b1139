"""`state pull|push|history|restore|unlock`: work on a state file itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.confirmation import Confirmation
from provisioner.engine.calls.clock import Clock
from provisioner.errors import Blocked, UsageError, amount
from provisioner.names import WRITER
from provisioner.stopping import begin_change
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace
from state.errors import StateError
from state.lock import Lock
from state.serialization import json_fields
from state.stack_state import StackState
from state.state_store import list_versions, save_version


@dataclass(frozen=True)
class LockedState:
    """One stack's state, with its lock held."""

    workspace: Workspace
    suffix: str
    lock: Lock
    current: StackState | None

    def replace(self, state: StackState) -> None:
        """Write another state in place of the current one, which is saved as an old version."""
        store = self.workspace.store(self.suffix)
        if self.current:
            save_version(store, self.current, WRITER)
        former = self.current.fencing_token if self.current else 0
        state.fencing_token = max(self.lock.fencing_token, former + 1, state.fencing_token)
        self.lock.ensure_held()
        begin_change()
        store.save(state.dump(WRITER))


@contextmanager
def locked_state(
    workspace: Workspace, suffix: str, command: str, timeout: float, *, force: bool = False
) -> Iterator[LockedState]:
    """Hold the lock and read the state; with `force`, an unusable state is renamed."""
    with workspace.lock(suffix, command, timeout, Clock()) as lock:
        try:
            current = workspace.load_state(suffix)
        except StateError:
            if not force:
                raise
            begin_change()
            workspace.quarantine(suffix)
            current = None
        yield LockedState(workspace, suffix, lock, current)


def print_state(console: Console, workspace: Workspace, suffix: str) -> int:
    """Print the state."""
    state = workspace.load_state(suffix)
    if state is None:
        raise workspace.unknown_stack_error(suffix)
    console.document(state.dump(WRITER).decode().rstrip("\n"))
    return 0


def push_state(
    console: Console, workspace: Workspace, suffix: str, content: bytes, timeout: float, *, force: bool
) -> int:
    """Replace the state with a later version of itself; return the exit code.

    `force` replaces it with any other state of the stack.

    Raises:
        Blocked: The pushed state is another stack's, or is not later than the current one.

    """
    completion = CompletionLine(console, workspace.bucket, "State push")
    pull_command = workspace.command("state pull", suffix)
    advice = f"Push what `{pull_command}` has printed; nothing was changed."
    state = StackState.parse(content, "What is pushed", advice)
    if state.suffix != suffix:
        push_command = workspace.command("state push", "OTHER")
        raise Blocked(
            f"What is pushed is the state of {state.suffix}, not of {suffix}.",
            f"Nothing was changed. `{push_command} FILE` pushes it, with the suffix that it is of.",
        )
    with locked_state(workspace, suffix, "state push", timeout, force=force) as locked:
        current = locked.current
        if current and _is_same(state, current):
            completion.print(f"{suffix} has this state already")
            return 0
        if current and force:
            state.serial = max(state.serial, current.serial) + 1
        elif current:
            check_is_later(state, current)
        locked.replace(state)
    _print_replaced(completion, "state_push", state)
    return 0


def _is_same(state: StackState, current: StackState) -> bool:
    """Return whether the state is there already, whatever lock number it was written with."""
    return replace(current, fencing_token=state.fencing_token).dump(WRITER) == state.dump(WRITER)


def check_is_later(state: StackState, current: StackState) -> None:
    """Raise Blocked if the state is not a later version of the current state."""
    hint = "With --force it replaces the present state, which is kept in `state history`."
    check_same_lineage(state, current, hint)
    if state.serial <= current.serial:
        raise Blocked(f"The present state is as new or newer: serial {current.serial}; this has {state.serial}.", hint)


def check_same_lineage(state: StackState, current: StackState, hint: str) -> None:
    """Raise Blocked if the two states have not the same lineage and location."""
    if state.lineage != current.lineage:
        raise Blocked(
            f"This is another state: its lineage is {state.lineage}, that of the present state {current.lineage}.",
            hint,
        )
    if state.location != current.location:
        raise Blocked("This is the state of another account, region or endpoint.", hint)


def print_versions(console: Console, workspace: Workspace, suffix: str) -> int:
    """Print the versions of the state before the last runs, oldest first."""
    versions = list_versions(workspace.store(suffix))
    if not versions and workspace.load_state(suffix) is None:
        raise workspace.unknown_stack_error(suffix)
    if console.as_json:
        console.record("state_history", suffix=suffix, versions=[json_fields(version) for version in versions])
        return 0
    console.table(
        [(version.name, version.saved_at, str(version.serial)) for version in versions], ("version", "kept", "serial")
    )
    return 0


def restore_version(
    console: Console,
    workspace: Workspace,
    suffix: str,
    version: str,
    confirmation: Confirmation,
    timeout: float,
    *,
    force: bool,
) -> int:
    """Replace the state with an old version of it; return the exit code.

    Raises:
        UsageError: No such version is kept.
        Blocked: The version has another lineage or location, and `force` is not given.

    """
    completion = CompletionLine(console, workspace.bucket, "State restore")
    store, versions = workspace.store(suffix), workspace.command("state history", suffix)
    if version not in store.version_names():
        if workspace.load_state(suffix) is None:
            raise workspace.unknown_stack_error(suffix)
        raise UsageError(f"No version {version} of {suffix} is kept.", f"`{versions}` lists them.")
    advice = f"Nothing was changed. `{versions}` lists the others."
    state = StackState.parse(store.load_version(version) or b"", f"The version {version}", advice)
    with locked_state(workspace, suffix, "state restore", timeout, force=force) as locked:
        current = locked.current
        if current and not force:
            check_same_lineage(state, current, "With --force it replaces the present state, which is kept.")
        replaced = _describe(current) if current else "nothing"
        confirmation.confirm(console, f"Put {_describe(state)} of {suffix} in the place of {replaced}?")
        state.serial = max(state.serial, current.serial if current else 0) + 1
        locked.replace(state)
    console.note(f"What was made since is found by its tags: `{workspace.command('plan', suffix)}` shows it.")
    _print_replaced(completion, "state_restore", state)
    return 0


def _print_replaced(completion: CompletionLine, command: str, state: StackState) -> None:
    """Say which state is the present one now."""
    if completion.console.as_json:
        fields = {"serial": state.serial, "resources": state.resource_count}
        completion.console.record(command, suffix=state.suffix, **fields)
    completion.print(f"the state of {state.suffix} is {_describe(state)}")


def _describe(state: StackState) -> str:
    """Describe a state by its serial and number of resources."""
    return f"serial {state.serial} with {_resource_count_in_words(state)}"


def _resource_count_in_words(state: StackState) -> str:
    """Return the number of a state's resources in words."""
    return amount(state.resource_count, "resource")


def free_lock(console: Console, workspace: Workspace, suffix: str, confirmation: Confirmation) -> int:
    """Say who holds the lock, ask for confirmation, and free it."""
    completion = CompletionLine(console, workspace.bucket, "State unlock")
    lock = workspace.lock(suffix, "state unlock", 0, Clock())
    holder, is_held = lock.last_holder()
    if holder is None or not is_held:
        console.data_or_record(f"Nobody holds the lock of {suffix}.", "state_unlock", suffix=suffix, freed=None)
        return 0
    console.ask(f"The lock of {suffix} is held by {holder}.")
    confirmation.confirm(
        console, "Free it? That run stops at its next call or heartbeat; what it did is recorded.", suffix
    )
    begin_change()
    lock.force_unlock(holder)
    if console.as_json:
        console.record("state_unlock", suffix=suffix, freed=str(holder))
    completion.print(f"the lock of {suffix} is free")
    return 0
