"""EC2 as a whole: dry runs change nothing, and DescribeTags lists tags of existing resources only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

# Moto's names of resource types, and AWS's.
RESOURCE_TYPES = {"vpc-elastic-ip": "elastic-ip", "nat-gateway": "natgateway"}


@always.after("ec2", "DescribeTags")
def describe(call: Call, reply: Reply) -> None:
    """Leave out tags of deleted resources, and name resource types as the rest of EC2 does.

    Source: ServiceModel, ResourceType.
    """
    dead = deleted_ids(backend("ec2", call.account, call.region))
    reply["Tags"] = [tag for tag in reply.get("Tags", []) if tag["ResourceId"] not in dead]
    for tag in reply["Tags"]:
        tag["ResourceType"] = RESOURCE_TYPES.get(tag["ResourceType"], tag["ResourceType"])


def deleted_ids(ec2: Any) -> set[str]:
    """Return the ids of deleted resources that moto keeps tags of."""
    existing = dict(_existing_ids(ec2))
    return {name for name in ec2.tags if name not in existing.get(_prefix(name), {name: None})}


def _prefix(name: str) -> str:
    """Return the prefix of an EC2 id, such as `vpc`."""
    return name.rpartition("-")[0]


def _existing_ids(ec2: Any) -> Iterator[tuple[str, Any]]:
    """Yield each id prefix that is checked here, with the ids of the resources that exist."""
    yield "vpc", ec2.vpcs
    yield "subnet", {name for zone in ec2.subnets.values() for name in zone}
    yield "igw", ec2.internet_gateways
    yield "nat", ec2.nat_gateways
    yield "eipalloc", {address.allocation_id for address in ec2.addresses}
    yield "rtb", ec2.route_tables
    groups = [group for groups in ec2.groups.values() for group in groups.values()]
    yield "sg", {group.id for group in groups}
    yield "sgr", {rule.id for group in groups for rule in [*group.ingress_rules, *group.egress_rules]}
    yield "vpce", ec2.vpc_end_points
    yield "eni", ec2.enis
    yield "fl", ec2.flow_logs


@always.before("ec2", "*")
def dry_run(call: Call) -> None:
    """Answer a dry run before moto does, which would create the resource.

    Source: AWS doc, EC2 API common parameters.
    """
    if call.params.get("DryRun") is True:
        message = "Request would have succeeded, but DryRun flag is set."
        raise AwsError("DryRunOperation", message, 412)
