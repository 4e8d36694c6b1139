"""The resources of a stack for a report: as AWS says, or as the state says if AWS was not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from provisioner.engine.planning.diff import meets_condition
from provisioner.engine.planning.drift import Drift, DriftReport
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import MISSING, HealthStatus, ResourceHealth, health_of
from provisioner.engine.types.resource_type import ResourceType
from provisioner.health.context import TopicHealth
from provisioner.prices.estimate import resources_before
from provisioner.resources import RESOURCE_TYPES
from provisioner.terminal.report.contents import DisplayStatus
from state.stack_state import ResourceState, StackState

_NOT_ASKED = "not asked"
_UNDECLARED = "no longer declared"
_DRIFT_STATUSES = {
    "altered": "changed by hand",
    "gone": "gone",
    "failed": "failed",
    "unknown": "unknown",
    "extra": "added to by hand",
}


@dataclass(frozen=True)
class ReportResource:
    """One resource for a report: its declared properties, what AWS says (`actual`), and its health.

    `status` is the class of its health, `aws_status` is AWS's own word for it.
    """

    logical_id: str
    step: str
    type_name: str
    aws_name: str
    props: JsonObject
    actual: JsonObject
    depends_on: tuple[str, ...]
    status: DisplayStatus
    aws_status: str


ReportResources = Mapping[str, ReportResource]


def resources_from_aws(plan: Plan, report: DriftReport) -> dict[str, ReportResource]:
    """Return the resources as AWS says now, then those in the state that are no longer declared."""
    # If a resource has several drifts, the first counts: gone and failed come before added children.
    drifts = {drift.logical_id: drift for drift in reversed(report.drifts) if drift.category != "held"}
    props = resources_before(plan, RESOURCE_TYPES).props
    resources = {}
    for resource in plan.stack:
        name = resource.logical_id
        is_known = name in plan.state.resources or plan.actual.get(name) is not None
        if is_known and not resource.type.account_wide:
            status = display_status_of(resource.type, plan.actual.get(name), drifts.get(name), report.health.get(name))
            resources[name] = _from_declaration(plan, resource, dict(props.get(name, resource.props)), *status)
    for name, resource_state in plan.state.resources.items():
        if name not in plan.stack.resources:
            resources[name] = _from_resource_state(name, resource_state, _UNDECLARED)
    return resources


def _from_declaration(
    plan: Plan, resource: Resource, props: JsonObject, status: DisplayStatus, aws_status: str
) -> ReportResource:
    """Return a declared resource with these properties, and its name as recorded or else as declared."""
    resource_state = plan.state.resources.get(resource.logical_id)
    return ReportResource(
        logical_id=resource.logical_id,
        step=resource.step,
        type_name=str(resource.type),
        aws_name=resource_state.aws_name if resource_state else resource.aws_name,
        props=props,
        actual=plan.actual.get(resource.logical_id) or {},
        depends_on=tuple(resource.depends_on),
        status=status,
        aws_status=aws_status,
    )


def mark_unhealthy(resources: ReportResources, topics: Iterable[TopicHealth]) -> dict[str, ReportResource]:
    """Return the same resources, but marked as unhealthy where a topic of `status` says so."""
    unhealthy = {line.name for topic in topics for line in topic.lines if line.status == "unhealthy"}
    return {
        name: replace(resource, status="bad", aws_status="unhealthy")
        if name in unhealthy and resource.status in ("good", "changed")
        else resource
        for name, resource in resources.items()
    }


def resources_from_state(state: StackState) -> dict[str, ReportResource]:
    """Return the resources as the last run recorded them, without asking AWS."""
    return {
        name: _from_resource_state(
            name, resource_state, _NOT_ASKED if resource_state.phase == "ready" else resource_state.phase
        )
        for name, resource_state in state.resources.items()
        if not RESOURCE_TYPES[resource_state.type_name].account_wide
    }


def resources_from_graph(stack: Stack) -> dict[str, ReportResource]:
    """Return the declared resources of a stack of which nothing else is known."""
    return {
        resource.logical_id: ReportResource(
            resource.logical_id,
            resource.step,
            str(resource.type),
            resource.aws_name,
            resource.props,
            {},
            tuple(resource.depends_on),
            "unknown",
            "",
        )
        for resource in stack
        if not resource.type.account_wide
    }


def _from_resource_state(name: str, resource_state: ResourceState, aws_status: str) -> ReportResource:
    """Return a resource as the state has it."""
    status: DisplayStatus = "unknown" if resource_state.phase == "ready" else "busy"
    return ReportResource(
        name,
        resource_state.step,
        resource_state.type_name,
        resource_state.aws_name,
        resource_state.desired,
        {},
        tuple(resource_state.depends_on),
        status,
        aws_status,
    )


_DISPLAY_STATUSES: Mapping[HealthStatus, DisplayStatus] = {
    "healthy": "good",
    "in progress": "busy",
    "unhealthy": "bad",
    "gone": "bad",
    "unknown": "unknown",
}


def display_status_of(
    resource_type: ResourceType, actual: JsonObject | None, drift: Drift | None, health: ResourceHealth | None = None
) -> tuple[DisplayStatus, str]:
    """Return the status of a resource and the text for it, which is AWS's own if it has one.

    Args:
        resource_type: The type of the resource.
        actual: What AWS says of it; None if it does not exist.
        drift: Its drift, if it has any.
        health: Its health; None to derive it from `actual`.

    """
    if actual is None:
        # Without drift it is not missing: it will be replaced, together with the resource it belongs to.
        return ("bad", MISSING) if drift else ("unknown", "to be replaced")
    health = health or health_of(resource_type, actual)
    if health.status != "healthy":
        return _DISPLAY_STATUSES[health.status], health.description
    if not meets_condition(actual, resource_type.ready):
        return "busy", health.aws_status
    return ("changed", _DRIFT_STATUSES[drift.category]) if drift else ("good", health.aws_status)
