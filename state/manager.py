"""The writer of a stack's state: it records what was intended, what was created and what was confirmed.

The state is written before and after every call that changes AWS, so that a run that is killed at any
moment leaves enough for the next run to go on. No secret is ever written.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from state.errors import ProvisionerError
from state.findings import StateFindings, with_findings
from state.stack_state import Intent, JsonObject, PendingCommand, ResourceState, StackState, Tombstone
from state.state_store import StateStore

log = logging.getLogger(__name__)


class StateManager:
    """The only writer of one stack's state; when a method returns, its change is on disk.

    Threads may share it: changes that come at the same time are saved in one write, and fail together if that
    write fails. `writer` is the name and version of this program, which each write records. `guard` is called
    before each write and raises when this run may no longer write.
    """

    def __init__(
        self,
        state: StackState,
        store: StateStore,
        writer: str,
        wall_time: Callable[[], float],
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self.state = state
        self._guard = guard
        self._store = store
        self._writer = writer
        self._wall_time = wall_time
        self._change = threading.Lock()
        self._write = threading.Lock()
        self._written = self._attempted = state.serial
        self._failure: ProvisionerError | None = None

    def __iter__(self) -> Iterator[tuple[str, ResourceState]]:
        return iter(self.state.resources.copy().items())

    @property
    def salt(self) -> str:
        """The salt of the hashes that are written in place of sensitive values."""
        return self.state.salt

    def get(self, logical_id: str) -> ResourceState | None:
        """Return the state of one resource, or None if there is none."""
        return self.state.resources.get(logical_id)

    def record_findings(self, findings: StateFindings) -> None:
        """Record what a plan has found out; it is written with the next change, as without any nothing is due."""
        with self._change:
            recorded = with_findings(self.state, findings)
            self.state.lookups, self.state.resources = recorded.lookups, recorded.resources

    def record_settings(self, settings: Mapping[str, JsonObject]) -> None:
        """Record the settings of this apply, if they differ from those that are recorded."""
        if settings != self.state.settings:
            with self._transaction():
                self.state.settings = dict(settings)

    def record_intent(self, logical_id: str, action: str, resource_state: ResourceState) -> Intent:
        """Record that the action `action` is about to be called, and return the intent with its client token.

        An open intent of the same action is kept, so that a repeated call carries the same token.
        """
        with self._transaction():
            known_state = self.state.resources.get(logical_id)
            resource_state.intent = _open_intent(known_state, action) or Intent(
                action, uuid.uuid4().hex, self._wall_time()
            )
            self.state.resources[logical_id] = resource_state
        log.debug("intent: %s %s", action, logical_id)
        return resource_state.intent

    def record_id(self, logical_id: str, resource_id: str, changed: float = 0.0) -> None:
        """Record the id that AWS returned for a created resource, and clear its intent.

        `changed` is the wall-clock second of the change for a resource type with a cooldown, else 0.
        """
        with self._transaction():
            resource_state = self.state.resources[logical_id]
            resource_state.id, resource_state.phase, resource_state.intent = resource_id, "finishing", None
            resource_state.created_at, resource_state.changed_at = self._wall_time(), changed
        log.debug("id of %s: %s", logical_id, resource_id)

    def record_adopted(self, logical_id: str, resource_state: ResourceState) -> None:
        """Record a resource of this stack that was found in AWS."""
        with self._transaction():
            self.state.resources[logical_id] = resource_state

    def record_ready(self, logical_id: str, resource_id: str = "", changed: float = 0.0) -> None:
        """Record that AWS holds what was asked for, and that the resource is ready.

        `changed` is the wall-clock second of the change for a resource type with a cooldown, else 0.
        """
        with self._transaction():
            resource_state = self.state.resources[logical_id]
            resource_state.id, resource_state.changed_at = (
                resource_id or resource_state.id,
                max(resource_state.changed_at, changed),
            )
            resource_state.phase, resource_state.recorded, resource_state.intent = "ready", resource_state.desired, None

    def record_change(self, logical_id: str, at: float, *, is_partial: bool) -> None:
        """Record at which wall-clock second AWS accepted a change of a resource that has a cooldown.

        With `is_partial`, a part of the change is still to be made, so the resource is left in the phase
        `finishing`.
        """
        with self._transaction():
            resource_state = self.state.resources[logical_id]
            resource_state.changed_at = at
            if is_partial:
                resource_state.phase, resource_state.intent = "finishing", None

    def depose(self, logical_id: str, under: str) -> None:
        """Move a resource state to the key `under`: it is replaced, and will be deleted later."""
        with self._transaction():
            self.state.rename(logical_id, under)

    def remove(self, logical_id: str, *, deleted: bool) -> None:
        """Remove a resource state; with `deleted`, leave a tombstone if its id was known."""
        with self._transaction():
            resource_state = self.state.resources.pop(logical_id, None)
            if resource_state and deleted and resource_state.id:
                tombstone = Tombstone(
                    logical_id,
                    resource_state.type_name,
                    resource_state.aws_name,
                    resource_state.id,
                    resource_state.region,
                    self._wall_time(),
                    resource_state.desired,
                )
                self.state.tombstones.append(tombstone)

    def record_command(self, key: str, pending: PendingCommand) -> None:
        """Record that a one-off command is about to run, or which task runs it."""
        with self._transaction():
            self.state.pending_commands[key] = pending

    def record_command_end(self, key: str, task: str) -> None:
        """Remove the record of a one-off command that has ended, unless another task has run it since."""
        pending = self.state.pending_commands.get(key)
        if pending and pending.task in ("", task):
            with self._transaction():
                del self.state.pending_commands[key]

    def begin_teardown(self) -> None:
        """Record that a teardown begins to delete: clear the outputs, and note the time of the first one.

        The time is kept if an earlier teardown was not finished.
        """
        with self._transaction():
            self.state.outputs = {}
            self.state.teardown_began = self.state.teardown_began or self._wall_time()

    def record_outputs(self, order: Sequence[str], outputs: Mapping[str, str], *, is_whole_stack: bool = True) -> None:
        """Record the stack's outputs, and sort the resource states into the order of their declaration.

        Args:
            order: The logical ids in the order in which the stack declares them.
            outputs: The stack's outputs by name.
            is_whole_stack: Whether the whole stack was applied. If so, the mark of an unfinished teardown is cleared.

        """
        with self._transaction():
            resource_states = self.state.resources
            names = [name for name in order if name in resource_states]
            undeclared = [name for name in resource_states if name not in order]
            self.state.resources = {name: resource_states[name] for name in names + undeclared}
            self.state.outputs = dict(outputs)
            self.state.teardown_began = 0.0 if is_whole_stack else self.state.teardown_began

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # Changes are made under one lock and written under another: while one thread writes, others change.
        with self._change:
            yield
            self.state.serial += 1
            serial = self.state.serial
        self._flush(serial)

    def _flush(self, serial: int) -> None:
        with self._write:
            if self._written >= serial:  # another thread's write has included this change
                return
            if self._failure and self._attempted >= serial:
                raise self._failure
            self._guard()
            with self._change:
                self._attempted, text = self.state.serial, self.state.dump(self._writer)
            try:
                self._store.save(text)
            except ProvisionerError as error:
                self._failure = error
                raise
            self._written = self._attempted
            log.debug("state %d written, %d bytes", self._written, len(text))


def _open_intent(resource_state: ResourceState | None, action: str) -> Intent | None:
    return (
        resource_state.intent
        if resource_state and resource_state.intent and resource_state.intent.action == action
        else None
    )
