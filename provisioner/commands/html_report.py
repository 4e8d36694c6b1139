"""`report`: one page about one stack, for a reader who has neither this tool nor an account."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provisioner.commands.estimates import cost_from_state, cost_of
from provisioner.commands.network_acl_topics import network_acl_topics
from provisioner.commands.output_files import check_writable, write
from provisioner.commands.plan_context import location_description, print_checked_resources
from provisioner.commands.run_history import readable_runs
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
    mark_unhealthy,
    resources_from_aws,
    resources_from_state,
)
from provisioner.report.security_controls import check_controls
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.plan import plan_sentence
from provisioner.terminal.report.contents import ReportContents, ResourceHealthRow
from provisioner.terminal.report.page import report_page
from provisioner.workspace import Workspace, as_sentence, unfinished_teardown
from state.errors import ProvisionerError, StateError
from state.stack_state import StackState

# How many of the newest runs are shown.
_MAX_RUNS = 10
# Seconds for AWS's answers; what is missing then is shown as unknown, as in `status`.
_READ_TIMEOUT = 10.0
# Errors of the request itself: with them, a page would be about something else.
_REQUEST_ERRORS = (UsageError, Blocked, StateError, NoSuchStack)


@dataclass(frozen=True)
class _ReportData:
    """What is known of the resources, and whether AWS or the state tells it."""

    resources: ReportResources
    location: str
    cost: CostEstimate
    topics: tuple[TopicHealth, ...] = ()
    drift: DriftReport | None = None
    changes: str = ""
    error: ProvisionerError | None = None


def write_report(
    console: Console, workspace: Workspace, suffix: str, path: Path, open_session: Callable[[], Session]
) -> int:
    """Write the page; return the exit code.

    If AWS does not answer, the page shows what the last run left, and the error is raised after it is
    written.
    """
    check_writable(path)
    data = _read_report_data(console, workspace, suffix, open_session)
    write(path, report_page(_page_content(workspace, suffix, data)))
    if console.as_json:
        unhealthy = {
            resource.logical_id: resource.status for resource in data.resources.values() if resource.status != "good"
        }
        console.record("report", suffix=suffix, file=str(path), live=data.error is None, unwell=unhealthy)
    elif data.error is None:
        console.data(f"The report on {suffix} is in {path}.")
    if data.error is None:
        return 0
    error = data.error
    raise type(error)(
        f"{error.message}\n{path} is written all the same: it tells what the last run left, and says so.",
        error.hint,
    )


def _read_report_data(
    console: Console, workspace: Workspace, suffix: str, open_session: Callable[[], Session]
) -> _ReportData:
    """Return what AWS says of the stack; what the state says if AWS cannot be asked."""
    started = time.monotonic()
    try:
        session = open_session()
        drift, plan = session.drift()
        resources = resources_from_aws(plan, drift)
        topics = _read_topics(session, resources)
    except _REQUEST_ERRORS:
        raise
    except ProvisionerError as error:
        return _report_data_from_state(workspace, suffix, error)
    print_checked_resources(console, session, plan, started)
    costs, location = cost_of(session, plan), location_description(session)
    return _ReportData(mark_unhealthy(resources, topics), location, costs, topics, drift, plan_sentence(plan))


def _read_topics(session: Session, resources: ReportResources) -> tuple[TopicHealth, ...]:
    """Return the topics of `status`, about the resources that the drift check has read."""
    relevant = (resource for resource in resources.values() if resource.actual or resource.status == "bad")
    observed = tuple(
        ObservedResource(
            resource.logical_id,
            resource.type_name,
            resource.aws_name,
            resource.actual or None,
            health=health_of(RESOURCE_TYPES[resource.type_name], resource.actual or None),
        )
        for resource in relevant
    )
    clients = session.clients.with_shared_reads(BatchScope.of(session.state), _READ_TIMEOUT)
    context = HealthContext(observed, clients, session.clock.wall())
    return (*topics(context), *network_acl_topics(context, session.suffix))


def _report_data_from_state(workspace: Workspace, suffix: str, error: ProvisionerError) -> _ReportData:
    """Return what the state says of the stack; raise the error if there is no state."""
    state = workspace.load_state(suffix)
    if state is None:
        raise error
    cost = cost_from_state(workspace, state)
    return _ReportData(resources_from_state(state), state.location.description, cost, error=error)


def _page_content(workspace: Workspace, suffix: str, data: _ReportData) -> ReportContents:
    """Gather the content of the page."""
    state = workspace.load_state(suffix)
    region = state.location.region if state else ""
    runs, last, notes = _recent_runs(workspace, suffix)
    return ReportContents(
        suffix=suffix,
        location=data.location,
        written_at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        diagram=stack_diagram(data.resources, f"{suffix} in {region}", region),
        outputs=state.outputs if state else {},
        health=tuple(map(_health_row, data.resources.values())),
        controls=check_controls(data.resources),
        cost=data.cost,
        topics=data.topics,
        drift=data.drift,
        changes=data.changes,
        runs=runs,
        last_timeline=last,
        warning=" ".join(filter(None, (_unreachable_warning(data.error), _teardown_warning(state)))),
        notes=notes,
    )


def _health_row(resource: ReportResource) -> ResourceHealthRow:
    """Return the row of one resource in the table of health."""
    return ResourceHealthRow(
        f"{resource.step}/{resource.logical_id}", resource.type_name, resource.status, resource.aws_status
    )


def _unreachable_warning(error: ProvisionerError | None) -> str:
    """Return the page's warning if AWS could not be asked; "" if it was."""
    if error is None:
        return ""
    return f"AWS could not be asked, so this is what the last run left, not how it is now. {error.message}"


def _teardown_warning(state: StackState | None) -> str:
    """Return the page's warning about an unfinished teardown; "" if there is none."""
    began = unfinished_teardown(state)
    return f"{as_sentence(began)}: what it has deleted is not shown." if began else ""


def _recent_runs(workspace: Workspace, suffix: str) -> tuple[tuple[Run, ...], Timeline | None, tuple[str, ...]]:
    """Return the newest runs, the timeline of the last one, and which records cannot be read."""
    damaged: list[StateError] = []
    names = workspace.history.run_ids(suffix)[:_MAX_RUNS]
    runs = tuple(readable_runs(workspace.history, names, damaged))
    last_id = next((name for name in names if runs and name.run == runs[0].run), None)
    timeline = timeline_of(workspace.history.read(last_id)) if last_id else None
    return runs, timeline, tuple(error.message for error in damaged)
