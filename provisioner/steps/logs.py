"""Log groups, created before the services that would create them without an expiry."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.types.resource_type import ResourceType
from provisioner.resources.logs import LogGroup, Retention, ServiceLogGroup
from provisioner.settings import Settings
from provisioner.steps.keys import Keys


@dataclass(frozen=True)
class LogGroups:
    """The log groups, by who writes to them."""

    tasks: ResourceHandle
    balancer: ResourceHandle
    aurora: ResourceHandle
    insights: ResourceHandle
    # Input and output of the ECS Exec sessions that `service.exec` allows.
    exec: ResourceHandle | None


def declare_log_groups(step: Step, settings: Settings, keys: Keys) -> LogGroups:
    """Declare the log groups. The load balancer's group stays empty, as an ALB delivers logs to S3 only."""
    return LogGroups(
        tasks=_declare_log_group(step, settings, keys, LogGroup, "ecs-logs"),
        balancer=_declare_log_group(step, settings, keys, LogGroup, "alb-logs"),
        aurora=_declare_log_group(step, settings, keys, ServiceLogGroup, "aurora-logs"),
        insights=_declare_log_group(step, settings, keys, ServiceLogGroup, "insights-logs"),
        exec=_declare_log_group(step, settings, keys, LogGroup, "exec-logs") if settings.service.exec else None,
    )


def _declare_log_group(
    step: Step, settings: Settings, keys: Keys, resource_type: type[ResourceType], noun: str
) -> ResourceHandle:
    """Declare a log group with its retention."""
    group = step(resource_type, noun, noun=noun, **keys.log_group_encryption(step.stack.region))
    step(Retention, f"{noun}-retention", logGroupName=group.id, retentionInDays=settings.logs.days)
    return group
