"""The account's own roles for the services we use: a fresh account's first calls race their making."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.iam import ServiceLinkedRole


@dataclass(frozen=True)
class Account:
    """The service-linked roles."""

    ecs: Handle
    balancing: Handle
    rds: Handle
    scaling: Handle


def account(up: Piece) -> Account:
    """Made first where they are missing, never deleted, not counted as the stack's."""
    return Account(
        ecs=up(ServiceLinkedRole, "slr-ecs", AWSServiceName="ecs.amazonaws.com"),
        balancing=up(ServiceLinkedRole, "slr-elb", AWSServiceName="elasticloadbalancing.amazonaws.com"),
        rds=up(ServiceLinkedRole, "slr-rds", AWSServiceName="rds.amazonaws.com"),
        scaling=up(
            ServiceLinkedRole, "slr-scaling", AWSServiceName="ecs.application-autoscaling.amazonaws.com"
        ),
    )
