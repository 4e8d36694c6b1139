"""`report`: one page about one stack, for a reader who has neither this tool nor an account."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.planning.drift import DriftReport
from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Timeline, timeline_of
from provisioner.engine.types.health_status import health_of
from provisioner.errors import Blocked, NoSuchStack, UsageError
from provisioner.health.context import HealthContext, ObservedResource, TopicHealth
from provisioner.health.topics import topics
from provisioner.prices.estimate import CostEstimate
from provisioner.report.diagram import stack_diagram
from provisioner.report.resources import (
    ReportResource,
    ReportResources,
    resources_from_aws,
    resources_from_state,
    with_topics,
)
from provisioner.report.security_controls import posture
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.plan import sentence
from provisioner.terminal.report.model import Health, Sheet
from provisioner.terminal.report.page import page
from provisioner.unfinished_teardown import as_sentence, unfinished_teardown
from provisioner.workflows.estimates import cost_of, cost_remembered
from provisioner.workflows.history import readable
from provisioner.workflows.network_acl_topics import network_acl_topics
from provisioner.workflows.output_files import check_writable, write
from provisioner.workflows.plan_context import describe_checks, location_description
from provisioner.workspace import Workspace
from state.errors import ProvisionerError, StateError
from state.stack_state import StackState

# How many of the newest runs are shown.
_RUNS = 10
# Seconds for AWS's answers; what is missing then is shown as unknown, as in `status`.
_PATIENCE = 10.0
# Errors of the request itself: with them, a page would be about something else.
_OURS = (UsageError, Blocked, StateError, NoSuchStack)


@dataclass(frozen=True)
class _ReportData:
    """What is known of the resources, and whether AWS or the state tells it."""

    things: ReportResources
    where: str
    cost: CostEstimate
    parts: tuple[TopicHealth, ...] = ()
    drift: DriftReport | None = None
    changes: str = ""
    error: ProvisionerError | None = None


def report(console: Console, workspace: Workspace, suffix: str, path: Path, opened: Callable[[], Session]) -> int:
    """Write the page; return the exit code.

    If AWS does not answer, the page shows what the last run left, and the error is raised after it is
    written.
    """
    check_writable(path)
    known = _asked(console, workspace, suffix, opened)
    write(path, page(_sheet(workspace, suffix, known)))
    if console.as_json:
        told = {resource.logical_id: resource.state for resource in known.things.values() if resource.state != "good"}
        console.record("report", suffix=suffix, file=str(path), live=known.error is None, unwell=told)
    elif known.error is None:
        console.data(f"The report on {suffix} is in {path}.")
    if known.error is None:
        return 0
    error = known.error
    raise type(error)(
        f"{error.message}\n{path} is written all the same: it tells what the last run left, and says so.",
        error.hint,
    )


def _asked(console: Console, workspace: Workspace, suffix: str, opened: Callable[[], Session]) -> _ReportData:
    """Return what AWS says of the stack; what the state says if AWS cannot be asked."""
    started = time.monotonic()
    try:
        session = opened()
        drift, plan = session.drift()
        resources = resources_from_aws(plan, drift, session.state)
        told = _topics(session, resources)
    except _OURS:
        raise
    except ProvisionerError as error:
        return _remembered(workspace, suffix, error)
    describe_checks(console, session, plan, started)
    costs, where = cost_of(session, plan), location_description(session)
    return _ReportData(with_topics(resources, told), where, costs, told, drift, sentence(plan))


def _topics(session: Session, resources: ReportResources) -> tuple[TopicHealth, ...]:
    """Return the topics of `status`, about the resources that the drift check has read."""
    asked = (resource for resource in resources.values() if resource.actual or resource.state == "bad")
    sights = tuple(
        ObservedResource(
            resource.logical_id,
            resource.type_name,
            resource.aws_name,
            resource.actual or None,
            health=health_of(RESOURCE_TYPES[resource.type_name], resource.actual or None),
        )
        for resource in asked
    )
    clients = session.clients.with_shared_reads(BatchScope.of(session.state), _PATIENCE)
    context = HealthContext(sights, clients, session.clock.wall())
    return (*topics(context), *network_acl_topics(context, session.suffix))


def _remembered(workspace: Workspace, suffix: str, error: ProvisionerError) -> _ReportData:
    """Return what the state says of the stack; raise the error if there is no state."""
    state = workspace.load_state(suffix)
    if state is None:
        raise error
    where = f"account {state.location.account}, region {state.location.region}"
    return _ReportData(resources_from_state(state), where, cost_remembered(workspace, state), error=error)


def _sheet(workspace: Workspace, suffix: str, known: _ReportData) -> Sheet:
    """Gather the content of the page."""
    state = workspace.load_state(suffix)
    region = state.location.region if state else ""
    runs, last, notes = _history(workspace, suffix)
    return Sheet(
        suffix=suffix,
        where=known.where,
        written=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        map=stack_diagram(known.things, f"{suffix} in {region}", region),
        outputs=state.outputs if state else {},
        health=tuple(map(_health, known.things.values())),
        controls=posture(known.things),
        cost=known.cost,
        parts=known.parts,
        drift=known.drift,
        changes=known.changes,
        runs=runs,
        last=last,
        warning=" ".join(filter(None, (_warning(known.error), _unfinished(state)))),
        notes=notes,
    )


def _health(resource: ReportResource) -> Health:
    """Return the row of one resource in the table of health."""
    return Health(f"{resource.step}/{resource.logical_id}", resource.type_name, resource.state, resource.aws_status)


def _warning(error: ProvisionerError | None) -> str:
    """Return the page's warning if AWS could not be asked; "" if it was."""
    if error is None:
        return ""
    return f"AWS could not be asked, so this is what the last run left, not how it is now. {error.message}"


def _unfinished(state: StackState | None) -> str:
    """Return the page's warning about an unfinished teardown; "" if there is none."""
    began = unfinished_teardown(state)
    return f"{as_sentence(began)}: what it has deleted is not shown." if began else ""


def _history(workspace: Workspace, suffix: str) -> tuple[tuple[Run, ...], Timeline | None, tuple[str, ...]]:
    """Return the newest runs, the timeline of the last one, and which records cannot be read."""
    damaged: list[StateError] = []
    names = workspace.history.run_ids(suffix)[:_RUNS]
    runs = tuple(readable(workspace.history, names, damaged))
    last = next((name for name in names if runs and name.run == runs[0].run), None)
    told = timeline_of(workspace.history.read(last)) if last else None
    return runs, told, tuple(one.message for one in damaged)
