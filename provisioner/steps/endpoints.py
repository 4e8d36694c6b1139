"""VPC endpoints: always for S3 and DynamoDB, and without NAT for all services that starting tasks call."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.errors import UsageError
from provisioner.resources.ec2.vpc_endpoints import InterfaceEndpoint, VpcEndpoint
from provisioner.settings import Settings
from provisioner.settings.images import ecr_region
from provisioner.steps.security import SecurityGroups
from provisioner.steps.vpc import Network


def declare_endpoints(
    step: Step, settings: Settings, network: Network, security: SecurityGroups
) -> list[ResourceHandle]:
    """Declare the gateway endpoints of S3 and DynamoDB, and without NAT the interface endpoints.

    ECR keeps image layers in S3. Each interface endpoint answers under the service's own DNS name. The
    interface endpoints are returned.
    """
    route_table_ids = [table.id for table in network.route_tables]
    for service in ("s3", "dynamodb"):
        step(
            VpcEndpoint,
            f"endpoint-{service}",
            VpcId=network.vpc.id,
            VpcEndpointType="Gateway",
            ServiceName=_service_name(step, service),
            RouteTableIds=route_table_ids,
        )
    if security.endpoints is None:
        return []
    return [
        step(
            InterfaceEndpoint,
            f"endpoint-{service.replace('.', '-')}",
            VpcId=network.vpc.id,
            VpcEndpointType="Interface",
            ServiceName=_service_name(step, service),
            SubnetIds=[subnet.id for subnet in network.private],
            SecurityGroupIds=[security.endpoints.id],
            PrivateDnsEnabled=True,
            depends_on=network.dns_attributes,
        )
        for service in _task_services(settings)
    ]


def check_images_reachable(settings: Settings, region: str) -> None:
    """Check that tasks can pull all images.

    Raises:
        UsageError: If there is no NAT, and an image is not in ECR in the stack's region.

    """
    if settings.network.nat != "none":
        return
    for image in (image for workload in settings.workloads for image in workload.images):
        if ecr_region(image) != region:
            setting = "image" if image != settings.container.scratch_image else "container.scratch_image"
            raise UsageError(
                f"Without NAT a task pulls from the private ECR of {region} only; {image} is elsewhere.",
                f"Push the image there and set it, such as `--set {setting}=111122223333.dkr.ecr.{region}"
                ".amazonaws.com/ml-api:1`, or keep `network.nat=one`.",
            )


def _service_name(step: Step, service: str) -> str:
    """Return the name of a service in the VPC endpoints' API."""
    return f"com.amazonaws.{step.stack.region}.{service}"


def _task_services(settings: Settings) -> Iterator[str]:
    """Yield the services that Fargate calls to start and run a task (ECR user guide, vpc-endpoints)."""
    yield from ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
    if any(":ssm:" in arn for workload in settings.workloads for arn in workload.container.secrets.values()):
        yield "ssm"
    if settings.service.exec:
        yield "ssmmessages"
