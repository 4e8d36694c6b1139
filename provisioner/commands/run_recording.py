"""The scope of a run that changes something: recorded however it ends, and alone at work on the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from provisioner.commands.output_files import append_job_summary
from provisioner.commands.saved_plan import fingerprinted_settings
from provisioner.engine.estimates.time_estimate import ProgressEstimate
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Edge
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.engine.runs.run import run_of
from provisioner.errors import Interrupted, NoSuchStack
from provisioner.exclusive_run import watch_run_marker
from provisioner.final_check import stack_by_name
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.settings.variables import is_sensitive
from provisioner.stopping import exit_code, stop_message
from provisioner.terminal.markdown import run_markdown
from state.errors import ProvisionerError, StateError
from state.object_store import ObjectStateStore
from state.run_store import FileRunStore, JsonObject, S3RunStore
from state.state_store import FileStateStore


@contextmanager
def record_run(session: Session, command: str) -> Iterator[RunRecorder]:
    """Save the record when the run begins, so that a killed run leaves one, and again when it ends.

    A run that ends with NoSuchStack leaves no record.
    """
    recorder = RunRecorder(session.suffix, command, session.arguments, session.location, session.aws, session.clock)
    recorder.settings = _without_secrets(fingerprinted_settings(session.settings, session.state.salt))
    copies = _RunRecordCopies.create(session, recorder.start)
    copies.save(recorder.to_json())
    try:
        yield recorder
    except NoSuchStack:
        copies.delete()
        raise
    except BaseException as error:
        recorder.finish(*_result_of(error))
        with suppress(StateError):  # the run's own error is raised
            copies.save(recorder.to_json(), last=True)
        _append_run_summary(session, recorder, {})
        raise
    if recorder.end is None:
        recorder.finish("ok", 0)
    try:
        copies.save(recorder.to_json(), last=True)
    except StateError as error:  # the run itself went well
        session.warn(f"The record of this run is not whole. {error.message}", "The run itself is done.")
    _append_run_summary(session, recorder, session.state.outputs if command == "apply" else {})


def _append_run_summary(session: Session, record: RunRecorder, outputs: Mapping[str, str]) -> None:
    """Give the record to GitHub as a summary, if this is a job there."""
    append_job_summary(lambda: run_markdown(run_of("", record.to_json()), outputs), session.warn)


@dataclass(frozen=True)
class _RunRecordCopies:
    """The copies of one run's record: a file on this machine, and one beside a shared state."""

    session: Session
    runs: FileRunStore
    file: FileStateStore
    shared: S3RunStore | None
    shared_file: ObjectStateStore | None

    @classmethod
    def create(cls, session: Session, start: float) -> _RunRecordCopies:
        """Return the copies of a new run that begins at `start` (epoch seconds)."""
        workspace, suffix = session.options.workspace, session.suffix
        shared = workspace.shared_runs
        file = workspace.runs.new_record(suffix, start)
        shared_file = shared.new_record(suffix, start) if shared else None
        return cls(session, workspace.runs, file, shared, shared_file)

    def save(self, record: JsonObject, *, last: bool = False) -> None:
        """Save the record; if only the shared copy fails, report that and go on."""
        self.runs.save(self.file, record)
        if self.shared is None or self.shared_file is None:
            return
        try:
            self.shared.save(self.shared_file, record)
            self.runs.mark_unsent(self.file, unsent=False)
            if last:
                self._send_unsent(self.shared)
                self.shared.prune(self.session.suffix)
        except ProvisionerError as error:
            self.runs.mark_unsent(self.file, unsent=True)
            self.session.warn(
                f"The record of this run is not kept for others yet. {error.message}",
                f"The run itself goes on; its record is in {self.file.description}, and the next run "
                "from here sends it.",
            )

    def _send_unsent(self, shared: S3RunStore) -> None:
        """Send the records of earlier runs from here that could not be sent when they ended."""
        with suppress(ProvisionerError):  # they stay unsent
            for name in self.runs.unsent_runs(self.session.suffix):
                shared.upload(name, self.runs.read(name))
                self.runs.mark_sent(name)

    def delete(self) -> None:
        """Delete the record, as there is no such stack: a mistyped suffix is no history."""
        self.file.remove()
        self.runs.mark_unsent(self.file, unsent=False)
        if self.shared_file is not None:
            with suppress(ProvisionerError):  # a superfluous record does no harm
                self.shared_file.remove()


def _without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are not secret; secret ones are not kept in a record, not even as hashes."""
    return {
        name: _without_secrets(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
        if not is_sensitive(name)
    }


def _result_of(error: BaseException) -> tuple[str, int, str]:
    """Return the result, the exit code and the message of an error, for the record."""
    if isinstance(error, ProvisionerError):
        return error.result, error.exit_code, error.message
    if isinstance(error, KeyboardInterrupt):
        return Interrupted.result, exit_code(error), stop_message()[1]
    return "error", 1, type(error).__name__


def record_plan(record: RunRecorder, plan: Plan) -> None:
    """Tell the record the type and the dependencies of each resource, with what the plan has found out."""
    for name, resource_state in plan.state.resources.items():
        record.add_resource(
            name,
            resource_state.type_name,
            resource_state.region,
            resource_state.step,
            [Edge(need) for need in resource_state.depends_on],
        )
    for declared in plan.stack:
        record.add_resource(declared.logical_id, str(declared.type), declared.region, declared.step, declared.edges)
    for name, resource in record.resources.items():
        for need in resource.depends_on:
            if (
                need in record.resources
                and resource.type_name in RESOURCE_TYPES[record.resources[need].type_name].deleted_alongside
            ):
                record.allow_overlap(need, name)


def progress_estimate(session: Session, record: RunRecorder, actions: Mapping[str, str]) -> ProgressEstimate:
    """Return the estimate of each resource's time, and of the whole run's; `actions` holds the actions."""
    return ProgressEstimate.for_run(
        record.resources, actions, RESOURCE_TYPES, session.duration_history, session.clock.now
    )


@contextmanager
def without_other_runs(session: Session, *, check_at_end: bool = True) -> Iterator[None]:
    """Stop calls in the block as soon as another machine's run is at work.

    Raises:
        LockHeld: Another run is at work, before the first call or later; with `check_at_end`, also at the end.

    """
    marker = session.marker_of(stack_by_name(session))
    if marker is None:
        yield
        return
    with watch_run_marker(session, marker) as watcher:
        yield
        if check_at_end:
            watcher.confirm()
