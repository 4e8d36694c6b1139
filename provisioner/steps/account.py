"""The service-linked roles of the account. In a new account a service's first call may fail without them."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.iam import ServiceLinkedRole


@dataclass(frozen=True)
class Account:
    """The service-linked roles, one per AWS service."""

    ecs: ResourceHandle
    balancing: ResourceHandle
    rds: ResourceHandle
    scaling: ResourceHandle


def account(step: Step) -> Account:
    """Declare the service-linked roles.

    They belong to the account: created first if they are missing, never deleted, not counted as the stack's.
    """
    return Account(
        ecs=step(ServiceLinkedRole, "slr-ecs", AWSServiceName="ecs.amazonaws.com"),
        balancing=step(ServiceLinkedRole, "slr-elb", AWSServiceName="elasticloadbalancing.amazonaws.com"),
        rds=step(ServiceLinkedRole, "slr-rds", AWSServiceName="rds.amazonaws.com"),
        scaling=step(ServiceLinkedRole, "slr-scaling", AWSServiceName="ecs.application-autoscaling.amazonaws.com"),
    )
