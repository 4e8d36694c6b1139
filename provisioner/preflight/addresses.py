"""Check of the CIDR blocks: each subnet lies inside its VPC, and no two subnets overlap."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.names import has_stack_tags
from provisioner.preflight.findings import Finding

_MEND = "Choose another block: `--set network.cidr=...`."


def addresses(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the CIDR blocks of subnets that AWS would refuse.

    If the VPC exists, its other subnets are read from AWS.
    """
    subnets = [resource for resource in plan.stack if str(resource.type) == "Subnet"]
    coming = [resource for resource in subnets if plan.changes[resource.logical_id].action in ("create", "replace")]
    for resource in coming:
        whole = IPv4Network(plan.stack.resources[resource.props["VpcId"].logical_id].props["CidrBlock"])
        if not _block(resource).subnet_of(whole):
            yield _finding(resource, f"{_block(resource)} does not lie in {whole}")
    for one, other in combinations(subnets, 2):
        if _block(one).overlaps(_block(other)):
            yield _finding(other, f"{_block(other)} overlaps {_block(one)} of {one.logical_id}")
    yield from _others(plan, clients, coming)


def _others(plan: Plan, clients: Clients, coming: list[Resource]) -> Iterator[Finding]:
    """Yield blocks that overlap a subnet that somebody else created in our VPC.

    Subnets with the stack's tags are skipped: one of ours may have been hidden by eventual consistency until
    now.
    """
    homes = {
        plan.actual[home]["id"] for resource in coming if (home := resource.props["VpcId"].logical_id) in plan.actual
    }
    for home in sorted(homes):
        filters = [{"Name": "vpc-id", "Values": [home]}]
        for there in clients.client("ec2").describe_subnets(Filters=filters)["Subnets"]:
            if has_stack_tags({one["Key"]: one["Value"] for one in there.get("Tags", [])}, plan.stack.suffix):
                continue
            block = IPv4Network(there["CidrBlock"])
            for resource in coming:
                if _block(resource).overlaps(block):
                    yield _finding(resource, f"{_block(resource)} overlaps {block} of {there['SubnetId']} in AWS")


def _block(resource: Resource) -> IPv4Network:
    """Return the CIDR block of a declared subnet."""
    return IPv4Network(resource.props["CidrBlock"])


def _finding(resource: Resource, what: str) -> Finding:
    return Finding(f"{resource.step}/{resource.logical_id}", what, _MEND)
