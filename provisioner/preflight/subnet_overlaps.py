"""Check of the CIDR blocks: each subnet lies inside its VPC, and no two subnets overlap."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.names import has_stack_tags
from provisioner.preflight.finding import Finding, address_of
from provisioner.service_clients import EC2

_HINT = "Choose another block: `--set network.cidr=...`."


def check_cidr_blocks(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the CIDR blocks of subnets that AWS would refuse.

    If the VPC exists, its other subnets are read from AWS.
    """
    subnets = [resource for resource in plan.stack if str(resource.type) == "Subnet"]
    new_subnets = [subnet for subnet in subnets if plan.changes[subnet.logical_id].action in ("create", "replace")]
    for resource in new_subnets:
        vpc_block = IPv4Network(plan.stack.resources[resource.props["VpcId"].logical_id].props["CidrBlock"])
        if not _cidr_block(resource).subnet_of(vpc_block):
            yield _finding(resource, f"{_cidr_block(resource)} does not lie in {vpc_block}")
    for subnet, other in combinations(subnets, 2):
        if _cidr_block(subnet).overlaps(_cidr_block(other)):
            yield _finding(other, f"{_cidr_block(other)} overlaps {_cidr_block(subnet)} of {subnet.logical_id}")
    yield from _overlaps_in_aws(plan, clients, new_subnets)


def _overlaps_in_aws(plan: Plan, clients: Clients, new_subnets: list[Resource]) -> Iterator[Finding]:
    """Yield blocks that overlap a subnet that somebody else created in our VPC.

    Subnets with the stack's tags are skipped: one of ours may have been hidden by eventual consistency until
    now.
    """
    vpcs = {resource.props["VpcId"].logical_id for resource in new_subnets}
    for vpc_id in sorted(plan.actual[vpc]["id"] for vpc in vpcs if vpc in plan.actual):
        reply = clients.client(EC2).describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
        for actual_subnet in reply["Subnets"]:
            tags = {tag["Key"]: tag["Value"] for tag in actual_subnet.get("Tags", [])}
            if has_stack_tags(tags, plan.stack.suffix):
                continue
            block, subnet_id = IPv4Network(actual_subnet["CidrBlock"]), actual_subnet["SubnetId"]
            for resource in new_subnets:
                if _cidr_block(resource).overlaps(block):
                    yield _finding(resource, f"{_cidr_block(resource)} overlaps {block} of {subnet_id} in AWS")


def _cidr_block(resource: Resource) -> IPv4Network:
    """Return the CIDR block of a declared subnet."""
    return IPv4Network(resource.props["CidrBlock"])


def _finding(resource: Resource, problem: str) -> Finding:
    """Return the finding for a subnet."""
    return Finding(address_of(resource), problem, _HINT)
