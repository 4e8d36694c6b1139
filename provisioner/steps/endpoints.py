"""Private ways to AWS: S3 and DynamoDB always, all else that a task's start needs where there is no NAT."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.graph import Handle, Piece
from provisioner.errors import UsageError
from provisioner.kinds.ec2.endpoints import InterfaceEndpoint, VpcEndpoint
from provisioner.settings import Settings
from provisioner.settings.images import ecr_region
from provisioner.steps.security import Security
from provisioner.steps.vpc import Network


def endpoints(up: Piece, s: Settings, net: Network, groups: Security) -> list[Handle]:
    """S3 holds the layers of every image; a private name leads to each of the others."""
    tables = [table.id for table in net.tables]
    for service in ("s3", "dynamodb"):
        up(
            VpcEndpoint,
            f"endpoint-{service}",
            VpcId=net.vpc.id,
            VpcEndpointType="Gateway",
            ServiceName=_name(up, service),
            RouteTableIds=tables,
        )
    if groups.endpoints is None:
        return []
    return [
        up(
            InterfaceEndpoint,
            f"endpoint-{service.replace('.', '-')}",
            VpcId=net.vpc.id,
            VpcEndpointType="Interface",
            ServiceName=_name(up, service),
            SubnetIds=[subnet.id for subnet in net.private],
            SecurityGroupIds=[groups.endpoints.id],
            PrivateDnsEnabled=True,
            after=net.names,
        )
        for service in _services(s)
    ]


def check_reachable(s: Settings, region: str) -> None:
    """UsageError where there is no NAT and an image lies where no endpoint leads."""
    if s.network.nat != "none":
        return
    for image in (image for one in s.workloads for image in one.images):
        if ecr_region(image) != region:
            setting = "image" if image != s.container.scratch_image else "container.scratch_image"
            raise UsageError(
                f"Without NAT a task pulls from the private ECR of {region} only; {image} is elsewhere.",
                f"Push the image there and set it, such as `--set {setting}=111122223333.dkr.ecr.{region}"
                ".amazonaws.com/ml-api:1`, or keep `network.nat=one`.",
            )


def _name(up: Piece, service: str) -> str:
    return f"com.amazonaws.{up.stack.region}.{service}"


def _services(s: Settings) -> Iterator[str]:
    """What Fargate calls before and while a task runs (ECR user guide, vpc-endpoints)."""
    yield from ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
    if any(":ssm:" in arn for one in s.workloads for arn in one.container.secrets.values()):
        yield "ssm"
    if s.service.exec:
        yield "ssmmessages"
