"""The service-linked roles of the account. In a new account a service's first call may fail without them."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.iam import ServiceLinkedRole


@dataclass(frozen=True)
class Account:
    """The service-linked roles, one per AWS service."""

    ecs: Handle
    balancing: Handle
    rds: Handle
    scaling: Handle


def account(up: Piece) -> Account:
    """Declare the service-linked roles.

    They belong to the account: created first if they are missing, never deleted, not counted as the stack's.
    """
    return Account(
        ecs=up(ServiceLinkedRole, "slr-ecs", AWSServiceName="ecs.amazonaws.com"),
        balancing=up(ServiceLinkedRole, "slr-elb", AWSServiceName="elasticloadbalancing.amazonaws.com"),
        rds=up(ServiceLinkedRole, "slr-rds", AWSServiceName="rds.amazonaws.com"),
        scaling=up(ServiceLinkedRole, "slr-scaling", AWSServiceName="ecs.application-autoscaling.amazonaws.com"),
    )
