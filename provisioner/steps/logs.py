"""Log groups, created before the services that would create them without an expiry."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.types.resource_type import ResourceType
from provisioner.resources.logs import LogGroup, Retention, ServiceLogGroup
from provisioner.settings import Settings
from provisioner.steps.keys import Keys


@dataclass(frozen=True)
class Logs:
    """The log groups, by who writes to them."""

    tasks: ResourceHandle
    balancer: ResourceHandle
    aurora: ResourceHandle
    insights: ResourceHandle
    # Input and output of the ECS Exec sessions that `service.exec` allows.
    shells: ResourceHandle | None


def logs(step: Step, settings: Settings, keys: Keys) -> Logs:
    """Declare the log groups. The load balancer's group stays empty, as an ALB delivers logs to S3 only."""
    return Logs(
        tasks=_group(step, settings, keys, LogGroup, "ecs-logs"),
        balancer=_group(step, settings, keys, LogGroup, "alb-logs"),
        aurora=_group(step, settings, keys, ServiceLogGroup, "aurora-logs"),
        insights=_group(step, settings, keys, ServiceLogGroup, "insights-logs"),
        shells=_group(step, settings, keys, LogGroup, "exec-logs") if settings.service.exec else None,
    )


def _group(step: Step, settings: Settings, keys: Keys, resource_type: type[ResourceType], noun: str) -> ResourceHandle:
    group = step(resource_type, noun, noun=noun, **keys.group(step.stack.region))
    step(Retention, f"{noun}-retention", logGroupName=group.id, retentionInDays=settings.logs.days)
    return group
