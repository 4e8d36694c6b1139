"""The CloudFront VPC origin, by which CloudFront reaches a load balancer in private subnets."""

from __future__ import annotations

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.iam import ServiceLinkedRole
from provisioner.resources.vpc_origin import VpcOrigin
from provisioner.settings import Settings
from provisioner.steps.alb import Balancer
from provisioner.steps.vpc import Network


def vpc_origin(step: Step, settings: Settings, net: Network, front: Balancer) -> ResourceHandle | None:
    """Declare the VPC origin, or return None if the settings do not ask for it.

    CloudFront requires an internet gateway at the VPC, although it does not use it.
    """
    if not settings.edge.vpc_origin:
        return None
    role = step(ServiceLinkedRole, "slr-vpc-origin", AWSServiceName="vpcorigin.cloudfront.amazonaws.com")
    return step(
        VpcOrigin,
        "vpc-origin",
        Arn=front.alb.id,
        HTTPPort=80,
        HTTPSPort=443,
        OriginProtocolPolicy="https-only" if front.secure else "http-only",
        OriginSslProtocols={"Items": ["TLSv1.2"]},
        depends_on=[front.alb.ready("CloudFront takes a balancer that is active"), net.door, role],
    )
