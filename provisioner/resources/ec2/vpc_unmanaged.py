"""Unmanaged resources in our VPC: `drift` lists them, and an apply leaves them.

A teardown names the same ones before its question, because they block the end of the VPC (`vpc_blockers.py`).
What only runs in our subnets, such as an instance, is not drift: it changes nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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

_ID_KEYS = ("SubnetId", "GroupId", "VpcEndpointId", "RouteTableId", "InternetGatewayId")
_BESIDE_OURS = "it stands beside ours"


def unmanaged_in_vpc(ec2: Any, spec: ResourceSpec, children: KnownChildren) -> list[Unmanaged]:
    """Return the subnets, groups, endpoints, route tables and gateways in a VPC that nobody declared.

    Changed network ACLs around our subnets are among them.

    Args:
        ec2: The client.
        spec: The VPC.
        children: What is known to lie in it.

    """
    known = {id_ for key in _ID_KEYS for id_ in children.values(key)}
    beside = [
        _as_unmanaged(spec, what, actual) for id_, what, actual in _resources_in_vpc(ec2, spec) if id_ not in known
    ]
    ways = routing_blockers(ec2, spec)
    beside += [Unmanaged(one.description, {}, one.remedy, is_unlisted=True) for one in ways if one.uncertain]
    theirs = [one for one in ways if not one.temporary and known.isdisjoint(one.description.split())]
    why = "{}, and would hold up a teardown: {} ends it"
    beside += [Unmanaged(one.description, {}, why.format(_BESIDE_OURS, one.remedy)) for one in theirs]
    return beside + non_default_rules(network_acls_in(ec2, spec.id), children.values("SubnetId"), ec2.region)


def _resources_in_vpc(ec2: Any, spec: ResourceSpec) -> Iterator[tuple[str, str, JsonObject]]:
    """Yield each subnet, group and endpoint of the VPC: its id, its name in words and its description."""
    filters = equals_filters({"vpc-id": spec.id})
    for one in ec2.describe_subnets(Filters=filters)["Subnets"]:
        yield one["SubnetId"], f"subnet {one['SubnetId']} {one['CidrBlock']}", one
    for one in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
        if one["GroupName"] not in ("default", CLOUDFRONT_GROUP_NAME):
            yield one["GroupId"], f"security group {one['GroupId']} {one['GroupName']}", one
    for one in endpoints_in(ec2, spec):
        if str(one["State"]).lower() != "deleting":
            yield one["VpcEndpointId"], f"endpoint {one['VpcEndpointId']} {one['ServiceName']}", one


def _as_unmanaged(spec: ResourceSpec, what: str, actual: JsonObject) -> Unmanaged:
    """Return one of them as an unmanaged child, with its owner or with what to do about it."""
    if is_made_by_guardduty(actual):
        return Unmanaged(what, {}, _BESIDE_OURS, owner="GuardDuty")
    if has_stack_tags(mapping(actual.get("Tags", [])), spec.suffix):
        own = "it bears this stack's own tags, and the state file does not know it"
        return Unmanaged(what, {}, f"{own}; delete it before a teardown")
    return Unmanaged(what, {}, f"{_BESIDE_OURS}; delete it before a teardown, which it would hold up")
