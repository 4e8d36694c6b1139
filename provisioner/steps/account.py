"""The account's own roles for the services we use, and the ARN of a resource while the account is unknown."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.resource_graph.references import Interpolation, interpolate
from provisioner.resources.iam import ServiceLinkedRole
from provisioner.steps.lookups import StackLookups


@dataclass(frozen=True)
class ServiceRoles:
    """The service-linked roles, one per AWS service."""

    ecs: ResourceHandle
    balancing: ResourceHandle
    rds: ResourceHandle
    scaling: ResourceHandle


def declare_service_roles(step: Step) -> ServiceRoles:
    """Declare the service-linked roles.

    They belong to the account: created first if they are missing, never deleted, not counted as the stack's.
    """
    return ServiceRoles(
        ecs=step(ServiceLinkedRole, "slr-ecs", AWSServiceName="ecs.amazonaws.com"),
        balancing=step(ServiceLinkedRole, "slr-elb", AWSServiceName="elasticloadbalancing.amazonaws.com"),
        rds=step(ServiceLinkedRole, "slr-rds", AWSServiceName="rds.amazonaws.com"),
        scaling=step(ServiceLinkedRole, "slr-scaling", AWSServiceName="ecs.application-autoscaling.amazonaws.com"),
    )


def arn(
    step: Step, lookups: StackLookups, service: str, resource: str | Interpolation, region: str = ""
) -> Interpolation:
    """Return `arn:<partition>:<service>:<region>:<account>:<rest>`, by default in the stack's region."""
    template = "arn:{}:{}:{}:{}:{}"
    return interpolate(template, lookups.partition, service, region or step.stack.region, lookups.account, resource)
