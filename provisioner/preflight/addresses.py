"""Check of the CIDR blocks: each subnet lies inside its VPC, and no two subnets overlap."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from provisioner.engine.clients import Clients
from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan
from provisioner.names import bears
from provisioner.preflight.finding import Finding

_MEND = "Choose another block: `--set network.cidr=...`."


def addresses(made: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the CIDR blocks of subnets that AWS would refuse.

    If the VPC exists, its other subnets are read from AWS.
    """
    subnets = [node for node in made.stack if str(node.kind) == "Subnet"]
    coming = [node for node in subnets if made.changes[node.name].verb in ("create", "replace")]
    for node in coming:
        whole = IPv4Network(made.stack.nodes[node.props["VpcId"].node].props["CidrBlock"])
        if not _block(node).subnet_of(whole):
            yield _finding(node, f"{_block(node)} does not lie in {whole}")
    for one, other in combinations(subnets, 2):
        if _block(one).overlaps(_block(other)):
            yield _finding(other, f"{_block(other)} overlaps {_block(one)} of {one.name}")
    yield from _others(made, clients, coming)


def _others(made: Plan, clients: Clients, coming: list[Node]) -> Iterator[Finding]:
    """Yield blocks that overlap a subnet that somebody else created in our VPC.

    Subnets with the stack's tags are skipped: one of ours may have been hidden by eventual consistency until
    now.
    """
    homes = {made.docs[home]["id"] for node in coming if (home := node.props["VpcId"].node) in made.docs}
    for home in sorted(homes):
        filters = [{"Name": "vpc-id", "Values": [home]}]
        for there in clients.client("ec2").describe_subnets(Filters=filters)["Subnets"]:
            if bears({one["Key"]: one["Value"] for one in there.get("Tags", [])}, made.stack.suffix):
                continue
            block = IPv4Network(there["CidrBlock"])
            for node in coming:
                if _block(node).overlaps(block):
                    yield _finding(node, f"{_block(node)} overlaps {block} of {there['SubnetId']} in AWS")


def _block(node: Node) -> IPv4Network:
    """Return the CIDR block of a declared subnet."""
    return IPv4Network(node.props["CidrBlock"])


def _finding(node: Node, what: str) -> Finding:
    return Finding(f"{node.piece}/{node.name}", what, _MEND)
