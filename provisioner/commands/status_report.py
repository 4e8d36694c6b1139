"""`status`: how a stack is now, once or again and again (`--watch`)."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from provisioner.commands.network_acl_topics import network_acl_topics
from provisioner.commands.plan_context import location_description, print_check_summary
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.calls.clients import Clients
from provisioner.engine.execution.managed_resource import ManagedResource, read, with_status_reads
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.plan_builder import READERS
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import health_of
from provisioner.errors import NoSuchStack, amount
from provisioner.health.context import HealthContext, ObservedResource, TopicHealth, reason_unknown
from provisioner.health.topics import is_healthy, topics
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.stopping import exit_code
from provisioner.terminal.console import ColoredLine, Console
from provisioner.terminal.fitting import terminal_width
from provisioner.terminal.health import condense, health_json, health_lines, health_summary
from provisioner.terminal.outputs import USUAL_PHASE, show_outputs, show_resources
from provisioner.terminal.screen import Screen
from provisioner.workspace import next_steps, unfinished_teardown
from state.stack_state import ResourceState

_COLUMNS = ("node", "kind", "live", "phase", "id")
NOT_HEALTHY = 1
# Seconds for AWS's answers, as a person waits; what is missing then is shown as unknown.
_READ_TIMEOUT = 10.0


@dataclass(frozen=True)
class StatusReport:
    """One reading of a stack: a row for each resource, and the health of each topic, such as the firewall."""

    rows: tuple[Mapping[str, str], ...]
    topics: tuple[TopicHealth, ...]
    # A clause about an unfinished teardown: the rows lack what it has deleted.
    unfinished_teardown: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether every resource is ready, every topic is healthy, and no teardown is unfinished."""
        return not self.problems and is_healthy(self.topics) and not self.unfinished_teardown

    @property
    def verdict(self) -> ColoredLine:
        """The verdict in one sentence."""
        return health_summary(self.topics, [row["node"] for row in self.problems], self.unfinished_teardown)

    @property
    def is_empty(self) -> bool:
        """Whether every recorded resource is gone in AWS, and no run is at work on one."""
        return all(row["phase"] == "ready" and row["state"] == "gone" for row in self.rows)

    @property
    def problems(self) -> list[Mapping[str, str]]:
        """The resources that do not exist, are not ready, or could not be read."""
        return [row for row in self.rows if row["phase"] != "ready" or row["state"] != "healthy"]


def print_status(console: Console, session: Session, *, with_resources: bool = False, with_events: bool = False) -> int:
    """Print the verdict, each topic's health, what is amiss, and the outputs.

    `with_resources` adds the table of resources. `with_events` prints, on a terminal too, each topic in full, with
    all recent events.

    Raises:
        NoSuchStack: None of the resources in the state exists.

    """
    started = time.monotonic()
    report = read_status(session)
    if report.is_empty:
        raise session.nothing_exists_error()
    if console.as_json:
        print_record(console, session, report)
    else:
        _print_report(console, session, report, with_resources=with_resources, with_events=with_events)
    print_check_summary(console, session, f"{amount(len(report.rows), 'resource')} checked", started)
    return 0 if report.is_healthy else NOT_HEALTHY


def read_status(session: Session) -> StatusReport:
    """Read every resource, eight at a time, then what the topics need besides."""
    clients = session.clients.with_shared_reads(BatchScope.of(session.state), _READ_TIMEOUT)
    resource_states = {
        name: resource_state
        for name, resource_state in session.state.resources.items()
        if not RESOURCE_TYPES[resource_state.type_name].account_wide
    }
    with ThreadPoolExecutor(READERS) as pool:
        observed = tuple(pool.map(partial(_observe, session, clients), resource_states))
    rows = tuple(_row(resource, resource_states[resource.logical_id]) for resource in observed)
    context = HealthContext(observed, clients, session.clock.wall())
    health_topics = (*topics(context), *network_acl_topics(context, session.suffix))
    return StatusReport(rows, health_topics, unfinished_teardown(session.state))


def _observe(session: Session, clients: Clients, logical_id: str) -> ObservedResource:
    """Read one resource and judge its health."""
    resource_state = session.state.resources[logical_id]
    resource = recorded_resource(session.state, logical_id, RESOURCE_TYPES)
    actual, unknown = _read_resource(clients, resource, resource_state.created_at)
    type_name = resource_state.type_name
    health = None if unknown else health_of(RESOURCE_TYPES[type_name], actual)
    return ObservedResource(logical_id, type_name, resource_state.aws_name, actual, unknown, health)


def _row(resource: ObservedResource, resource_state: ResourceState) -> dict[str, str]:
    """Return the row of one resource, by the names of its columns."""
    return {
        "node": resource.logical_id,
        "kind": resource.type_name,
        "phase": resource_state.phase,
        "id": resource_state.id,
        "live": status_word(resource),
        "state": resource.health.status if resource.health else "unknown",
    }


def _read_resource(clients: Clients, resource: ManagedResource, created_at: float) -> tuple[JsonObject | None, str]:
    """Return a resource as AWS describes it, and why that is unknown, or "".

    A read that is refused hides no other resource.
    """
    try:
        actual = read(clients, resource)
        return actual and with_status_reads(clients, resource, actual, created_at), ""
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        return None, reason_unknown(error, f"looking at {resource.description}")


def status_word(resource: ObservedResource) -> str:
    """Return the status of a resource in AWS, in one word if AWS has one."""
    return resource.health.description if resource.health else f"unknown: {resource.unknown_reason}"


def print_record(console: Console, session: Session, report: StatusReport) -> None:
    """Print the reading as one JSON line."""
    console.record(
        "status",
        suffix=session.suffix,
        well=report.is_healthy,
        resources=report.rows,
        health=health_json(report.topics),
        outputs=session.state.outputs,
        unfinished=report.unfinished_teardown,
    )


def _print_report(
    console: Console, session: Session, report: StatusReport, *, with_resources: bool, with_events: bool
) -> None:
    """Print the verdict, the topics, what is amiss, the rows if they are wanted, and the outputs."""
    for text, color in _summary_lines(session, report, in_full=with_events):
        console.text(text, color)
    console.text()
    if with_resources:
        show_resources(console, report.rows, _COLUMNS)
    show_outputs(console, session.state.outputs, "table")


def _describe_problem(row: Mapping[str, str]) -> str:
    """Return a resource with what is amiss: its phase in the state, unless that is the usual one, and its status."""
    phase = "" if row["phase"] == USUAL_PHASE else row["phase"]
    return "  ".join(filter(None, (row["node"], row["kind"], phase, row["live"])))


def watch_status(console: Console, session: Session, every: float) -> int:
    """Read the stack, show it, wait, and repeat; on a terminal, each reading replaces the one before."""
    screen = Screen(console)
    try:
        while console.is_stdout_open:
            report = read_status(session)
            if report.is_empty:
                raise session.nothing_exists_error()
            if console.as_json:
                print_record(console, session, report)
            else:
                screen.show([_time_line(session), *_summary_lines(session, report)])
            session.aws.calls.forget()
            session.clock.sleep(every)
            _reload_state(session)
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    return 0


def _reload_state(session: Session) -> None:
    """Read the state again, as another run may have written it meanwhile."""
    workspace = session.options.workspace
    state = workspace.load_state(session.suffix)
    if state is None:
        raise NoSuchStack(f"No stack {session.suffix} is known any more {workspace.description}.")
    session.state = state


def _time_line(session: Session) -> ColoredLine:
    """Return the time of a reading."""
    now = datetime.fromtimestamp(session.clock.wall(), UTC).isoformat(timespec="seconds")
    return now.replace("+00:00", "Z"), "dim"


def _summary_lines(session: Session, report: StatusReport, *, in_full: bool = False) -> list[ColoredLine]:
    """Return the verdict, where the stack is, its topics, and what is amiss; healthy resources are left out.

    On a terminal the topics are condensed, unless they are wanted `in_full`.
    """
    verdict, color = report.verdict
    next_step = [(next_steps(session.options.workspace, session.suffix), "")] if report.unfinished_teardown else []
    amiss = [(f"! {_describe_problem(row)}", "red") for row in report.problems]
    is_condensed = terminal_width(sys.stdout) is not None and not in_full
    shown_topics = condense(report.topics) if is_condensed else report.topics
    return [
        (verdict, color),
        *next_step,
        (f"{session.suffix}: {location_description(session)}", "dim"),
        *health_lines(shown_topics),
        *amiss,
    ]
