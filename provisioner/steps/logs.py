"""Log groups, made before the services that would make them with no expiry."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.kind import Kind
from provisioner.kinds.logs import LogGroup, Retention, ServiceLogGroup
from provisioner.settings import Settings
from provisioner.steps.keys import Keys


@dataclass(frozen=True)
class Logs:
    """The groups by who writes to them."""

    tasks: Handle
    balancer: Handle
    aurora: Handle
    insights: Handle
    # What was typed and shown in the shells of `service.exec`.
    shells: Handle | None


def logs(up: Piece, s: Settings, keys: Keys) -> Logs:
    """The balancer's group stays empty: ALB delivers to S3 only."""
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
