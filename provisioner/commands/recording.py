"""The record that a run leaves if it changes something, however it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from provisioner.commands.on_github import summarise
from provisioner.commands.saved import told_settings
from provisioner.engine.events import Event, Listener
from provisioner.engine.graph import Edge
from provisioner.engine.outlook import Outlook
from provisioner.engine.past import past_of
from provisioner.engine.plan import Plan
from provisioner.engine.record import Record
from provisioner.errors import Interrupted, LedgerError, NoSuchStack, ProvisionerError
from provisioner.kinds import KINDS
from provisioner.session import Session
from provisioner.settings.variables import is_private
from provisioner.stopping import exit_code, stopped
from provisioner.terminal.markdown import run_markdown
from state.runs import Doc, Runs
from state.shared_runs import SharedRuns
from state.shelf_store import ShelfStore
from state.store import FileStore


@contextmanager
def recorded(session: Session, command: str) -> Iterator[Record]:
    """Save the record when the run begins, so that a killed run leaves one, and again when it ends.

    A run that ends with NoSuchStack leaves no record.
    """
    record = Record(session.suffix, command, session.arguments, session.place, session.aws, session.clock)
    record.settings = _open_part(told_settings(session.settings, session.document.salt))
    copies = _Copies.of(session, record.start)
    copies.save(record.as_doc())
    try:
        yield record
    except NoSuchStack:
        copies.forget()
        raise
    except BaseException as error:
        record.finish(*_ending(error))
        with suppress(LedgerError):  # the run's own error is raised
            copies.save(record.as_doc(), last=True)
        _summarise(session, record, {})
        raise
    if record.end is None:
        record.finish("ok", 0)
    try:
        copies.save(record.as_doc(), last=True)
    except LedgerError as error:  # the run itself went well
        session.tell(f"The record of this run is not whole. {error.message}", "The run itself is done.")
    _summarise(session, record, session.document.outputs if command == "apply" else {})


def _summarise(session: Session, record: Record, outputs: Mapping[str, str]) -> None:
    """Give the record to GitHub as a summary, if this is a job there."""
    summarise(lambda: run_markdown(past_of("", record.as_doc()), outputs), session.tell)


@dataclass(frozen=True)
class _Copies:
    """The copies of one run's record: a file on this machine, and one beside a shared state."""

    session: Session
    runs: Runs
    file: FileStore
    shared: SharedRuns | None
    key: ShelfStore | None

    @classmethod
    def of(cls, session: Session, start: float) -> _Copies:
        """Return the copies of a new run that begins at `start` (epoch seconds)."""
        workspace, suffix = session.where.workspace, session.suffix
        shared = workspace.shared_runs
        file, key = workspace.runs.new(suffix, start), shared.new(suffix, start) if shared else None
        return cls(session, workspace.runs, file, shared, key)

    def save(self, doc: Doc, *, last: bool = False) -> None:
        """Save the record; if only the shared copy fails, report that and go on."""
        self.runs.save(self.file, doc)
        if self.shared is None or self.key is None:
            return
        try:
            self.shared.save(self.key, doc)
            self.runs.hold(self.file, unsent=False)
            if last:
                self._send_what_waits(self.shared)
                self.shared.let_go(self.session.suffix)
        except ProvisionerError as error:
            self.runs.hold(self.file, unsent=True)
            self.session.tell(
                f"The record of this run is not kept for others yet. {error.message}",
                f"The run itself goes on; its record is in {self.file.where}, and the next run from here sends it.",
            )

    def _send_what_waits(self, shared: SharedRuns) -> None:
        """Send the records of earlier runs from here that could not be sent when they ended."""
        with suppress(ProvisionerError):  # they stay unsent
            for name in self.runs.unsent(self.session.suffix):
                shared.put(name, self.runs.read(name))
                self.runs.sent(name)

    def forget(self) -> None:
        """Delete the record, as there is no such stack: a mistyped suffix is no history."""
        self.file.remove()
        self.runs.hold(self.file, unsent=False)
        if self.key is not None:
            with suppress(ProvisionerError):  # a superfluous record does no harm
                self.key.remove()


def _open_part(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are not secret; secret ones are not kept in a record, not even as hashes."""
    return {
        name: _open_part(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
        if not is_private(name)
    }


def _ending(error: BaseException) -> tuple[str, int, str]:
    """Return the result, the exit code and the message of an error, for the record."""
    if isinstance(error, ProvisionerError):
        return error.result, error.exit_code, error.message
    if isinstance(error, KeyboardInterrupt):
        return Interrupted.result, exit_code(error), stopped()[1]
    return "error", 1, type(error).__name__


def expect(record: Record, session: Session, made: Plan) -> None:
    """Tell the record the type and the dependencies of each resource."""
    for name, entry in session.document.entries.items():
        record.expect(name, entry.kind, entry.region, entry.piece, [Edge(need) for need in entry.needs])
    for node in made.stack:
        record.expect(node.name, str(node.kind), node.region, node.piece, node.edges)
    for name, step in record.steps.items():
        for need in step.needs:
            if need in record.steps and step.kind in KINDS[record.steps[need].kind].goes_beside:
                record.overlap(need, name)


def outlook_on(session: Session, record: Record, verbs: Mapping[str, str]) -> Outlook:
    """Return the estimate of each resource's time, and of the whole run's; `verbs` holds the actions."""
    return Outlook.of(record.steps, verbs, KINDS, session.durations, session.clock.now)


def both(one: Listener, other: Listener) -> Listener:
    """Return a listener that passes each event to both."""

    def hear(event: Event) -> None:
        one(event)
        other(event)

    return hear
