"""The resources of a stack for a report: as AWS says, or as the state says if AWS was not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from provisioner.engine.planning.diff import meets_condition
from provisioner.engine.planning.drift import Drift, DriftReport
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import MISSING, ResourceHealth, health_of
from provisioner.engine.types.health_status import HealthStatus as Health
from provisioner.engine.types.resource_type import ResourceType
from provisioner.health.context import TopicHealth
from provisioner.prices.estimate import before
from provisioner.resources import RESOURCE_TYPES
from provisioner.terminal.report.model import State
from state.stack_state import ResourceState, StackState

_NOT_ASKED = "not asked"
_LEFT = "no longer declared"
_CHANGED = {
    "altered": "changed by hand",
    "gone": "gone",
    "failed": "failed",
    "unknown": "unknown",
    "extra": "added to by hand",
}
_PHASES: dict[str, State] = {"ready": "unknown"}


@dataclass(frozen=True)
class ReportResource:
    """One resource for a report: its declared properties, what AWS says (`actual`), and its health.

    `state` is the class of its health, `aws_status` is AWS's own word for it.
    """

    logical_id: str
    step: str
    type_name: str
    aws_name: str
    props: JsonObject
    actual: JsonObject
    depends_on: tuple[str, ...]
    state: State
    aws_status: str


ReportResources = Mapping[str, ReportResource]


def resources_from_aws(plan: Plan, report: DriftReport, document: StackState) -> dict[str, ReportResource]:
    """Return the resources as AWS says now, then those in the state that are no longer declared."""
    # If a resource has several drifts, the first counts: gone and failed come before added children.
    drifts = {one.logical_id: one for one in reversed(report.drifts) if one.category != "held"}
    props = before(plan, document).props
    resources = {}
    for resource in plan.stack:
        resource_state = document.resources.get(resource.logical_id)
        doc = plan.actual.get(resource.logical_id)
        if resource.type.account_wide or (resource_state is None and doc is None):
            continue
        state, word = state_of(
            resource.type, doc, drifts.get(resource.logical_id), report.health.get(resource.logical_id)
        )
        resources[resource.logical_id] = ReportResource(
            resource.logical_id,
            resource.step,
            str(resource.type),
            resource_state.aws_name if resource_state else resource.aws_name,
            dict(props.get(resource.logical_id, resource.props)),
            doc or {},
            tuple(resource.depends_on),
            state,
            word,
        )
    left = {
        name: resource_state for name, resource_state in document.resources.items() if name not in plan.stack.resources
    }
    return resources | {name: _remembered(name, resource_state, _LEFT) for name, resource_state in left.items()}


def with_topics(resources: ReportResources, parts: Iterable[TopicHealth]) -> dict[str, ReportResource]:
    """Return the same resources, but marked as unhealthy where a topic of `status` says so."""
    unwell = {line.name: line.text for part in parts for line in part.lines if line.status == "unwell"}
    return {
        name: replace(resource, state="bad", aws_status="not well")
        if name in unwell and resource.state in ("good", "changed")
        else resource
        for name, resource in resources.items()
    }


def resources_from_state(state: StackState) -> dict[str, ReportResource]:
    """Return the resources as the last run recorded them, without asking AWS."""
    return {
        name: _remembered(name, resource_state, _NOT_ASKED if resource_state.phase == "ready" else resource_state.phase)
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


def _remembered(name: str, resource_state: ResourceState, word: str) -> ReportResource:
    """Return a resource as the state has it."""
    state: State = _PHASES.get(resource_state.phase, "busy")
    return ReportResource(
        name,
        resource_state.step,
        resource_state.type_name,
        resource_state.aws_name,
        resource_state.desired,
        {},
        tuple(resource_state.depends_on),
        state,
        word,
    )


_STATES: Mapping[Health, State] = {
    "healthy": "good",
    "in progress": "busy",
    "unhealthy": "bad",
    "gone": "bad",
    "unknown": "unknown",
}


def state_of(
    resource_type: ResourceType, doc: JsonObject | None, drift: Drift | None, how: ResourceHealth | None = None
) -> tuple[State, str]:
    """Return the state of a resource and the word for it, which is AWS's own if it has one.

    Args:
        resource_type: The type of the resource.
        doc: What AWS says of it; None if it does not exist.
        drift: Its drift, if it has any.
        how: Its health; None to derive it from `doc`.

    """
    if doc is None:
        # Without drift it is not missing: it will be replaced, together with the resource it belongs to.
        return ("bad", MISSING) if drift else ("unknown", "to be made anew")
    how = how or health_of(resource_type, doc)
    if how.status != "healthy":
        return _STATES[how.status], how.description
    if not meets_condition(doc, resource_type.ready):
        return "busy", how.aws_status
    return ("changed", _CHANGED[drift.category]) if drift else ("good", how.aws_status)
