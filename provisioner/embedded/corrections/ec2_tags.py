"""EC2 tags: those of what is there, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.embedded.answers import Reply
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend
from provisioner.embedded.wire import Call

RESOURCE_TYPES = {"vpc-elastic-ip": "elastic-ip", "nat-gateway": "natgateway"}


@always.after("ec2", "DescribeTags")
def describe(call: Call, reply: Reply) -> None:
    """Leave out what was deleted, and name the types as the rest of EC2 does (ServiceModel, ResourceType)."""
    dead = gone(backend("ec2", call.account, call.region))
    reply["Tags"] = [tag for tag in reply.get("Tags", []) if tag["ResourceId"] not in dead]
    for tag in reply["Tags"]:
        tag["ResourceType"] = RESOURCE_TYPES.get(tag["ResourceType"], tag["ResourceType"])


def gone(ec2: Any) -> set[str]:
    """The ids that moto keeps tags of, of what is there no longer."""
    there = dict(_there(ec2))
    return {name for name in ec2.tags if name not in there.get(_prefix(name), {name: None})}


def _prefix(name: str) -> str:
    return name.rpartition("-")[0]


def _there(ec2: Any) -> Iterator[tuple[str, Any]]:
    """By the beginning of their ids, what there is of the sorts that come and go here."""
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
