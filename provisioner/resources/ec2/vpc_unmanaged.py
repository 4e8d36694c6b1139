"""Unmanaged resources in the VPC: `drift` lists them, and an apply leaves them alone.

A teardown lists them before it asks for confirmation, because they block deleting the VPC (`vpc_blockers.py`).
An instance in one of the subnets is not listed: it changes no resource of the stack.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.names import has_stack_tags
from provisioner.resources.ec2.base import equals_filters
from provisioner.resources.ec2.network_acls import network_acls_in, non_default_rules
from provisioner.resources.ec2.network_interfaces import is_made_by_guardduty
from provisioner.resources.ec2.vpc_blockers import endpoints_in, routing_blockers
from provisioner.resources.tags import mapping
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME
from provisioner.service_clients import EC2

_ID_KEYS = ("SubnetId", "GroupId", "VpcEndpointId", "RouteTableId", "InternetGatewayId")
_BESIDE_OURS = "it stands beside ours"


def unmanaged_in_vpc(ec2: EC2, spec: ResourceSpec, children: KnownChildren) -> list[Unmanaged]:
    """Return the subnets, groups, endpoints, route tables and gateways in a VPC that nobody declared.

    Changed network ACLs around our subnets are among them.

    Args:
        ec2: The EC2 client.
        spec: The VPC.
        children: The declared resources in the VPC.

    """
    declared_ids = {id_ for key in _ID_KEYS for id_ in children.values(key)}
    unmanaged = [
        _as_unmanaged(spec, description, actual)
        for id_, description, actual in _resources_in_vpc(ec2, spec)
        if id_ not in declared_ids
    ]
    blockers = routing_blockers(ec2, spec)
    unmanaged += [
        Unmanaged(blocker.description, {}, blocker.remedy, is_unlisted=True)
        for blocker in blockers
        if blocker.uncertain
    ]
    foreign = [
        blocker
        for blocker in blockers
        if not blocker.temporary and declared_ids.isdisjoint(blocker.description.split())
    ]
    why = "{}, and would hold up a teardown: {} ends it"
    unmanaged += [Unmanaged(blocker.description, {}, why.format(_BESIDE_OURS, blocker.remedy)) for blocker in foreign]
    return unmanaged + non_default_rules(network_acls_in(ec2, spec.id), children.values("SubnetId"), ec2.region)


def _resources_in_vpc(ec2: EC2, spec: ResourceSpec) -> Iterator[tuple[str, str, JsonObject]]:
    """Yield id, description and actual state of each subnet, security group and endpoint in the VPC."""
    filters = equals_filters({"vpc-id": spec.id})
    for subnet in ec2.describe_subnets(Filters=filters)["Subnets"]:
        yield subnet["SubnetId"], f"subnet {subnet['SubnetId']} {subnet['CidrBlock']}", subnet
    for group in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
        if group["GroupName"] not in ("default", CLOUDFRONT_GROUP_NAME):
            yield group["GroupId"], f"security group {group['GroupId']} {group['GroupName']}", group
    for endpoint in endpoints_in(ec2, spec):
        if str(endpoint["State"]).lower() != "deleting":
            yield endpoint["VpcEndpointId"], f"endpoint {endpoint['VpcEndpointId']} {endpoint['ServiceName']}", endpoint


def _as_unmanaged(spec: ResourceSpec, description: str, actual: JsonObject) -> Unmanaged:
    """Return a resource in the VPC as unmanaged, with its owner, or with what to do about it."""
    if is_made_by_guardduty(actual):
        return Unmanaged(description, {}, _BESIDE_OURS, owner="GuardDuty")
    if has_stack_tags(mapping(actual.get("Tags", [])), spec.suffix):
        reason = "it bears this stack's own tags, and the state file does not know it"
        return Unmanaged(description, {}, f"{reason}; delete it before a teardown")
    return Unmanaged(description, {}, f"{_BESIDE_OURS}; delete it before a teardown, which it would hold up")
