"""Log groups, created before the services that would create them without an expiry."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.kind import Kind
from provisioner.kinds.logs import LogGroup, Retention, ServiceLogGroup
from provisioner.settings import Settings
from provisioner.steps.keys import Keys


@dataclass(frozen=True)
class Logs:
    """The log groups, by who writes to them."""

    tasks: Handle
    balancer: Handle
    aurora: Handle
    insights: Handle
    # Input and output of the ECS Exec sessions that `service.exec` allows.
    shells: Handle | None


def logs(up: Piece, s: Settings, keys: Keys) -> Logs:
    """Declare the log groups. The load balancer's group stays empty, as an ALB delivers logs to S3 only."""
    return Logs(
        tasks=_group(up, s, keys, LogGroup, "ecs-logs"),
        balancer=_group(up, s, keys, LogGroup, "alb-logs"),
        aurora=_group(up, s, keys, ServiceLogGroup, "aurora-logs"),
        insights=_group(up, s, keys, ServiceLogGroup, "insights-logs"),
        shells=_group(up, s, keys, LogGroup, "exec-logs") if s.service.exec else None,
    )


def _group(up: Piece, s: Settings, keys: Keys, kind: type[Kind], noun: str) -> Handle:
    group = up(kind, noun, noun=noun, **keys.group(up.stack.region))
    up(Retention, f"{noun}-retention", logGroupName=group.id, retentionInDays=s.logs.days)
    return group
