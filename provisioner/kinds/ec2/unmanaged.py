"""What stands in our VPC and no declaration and no state knows: told by `drift`, and left by an apply.

It is the same that a teardown names before its question, as it keeps the VPC (`blockers.py`). What merely
runs in our subnets is not told: it changes nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.kinds.ec2.acls import acls_in, not_as_born
from provisioner.kinds.ec2.blockers import endpoints_in, is_ending, ways_of
from provisioner.kinds.ec2.guard_duty import is_guard_dutys
from provisioner.kinds.ec2.tagged import where
from provisioner.kinds.tags import mapping
from provisioner.kinds.vpc_origin import AMAZONS_GROUP
from provisioner.names import bears

_OURS = ("SubnetId", "GroupId", "VpcEndpointId", "RouteTableId", "InternetGatewayId")
_BESIDE = "it stands beside ours"


def unmanaged(ec2: Any, it: Item, inside: Inside) -> list[Extra]:
    """Return the subnets, groups, endpoints, tables and gateways in a VPC that are not ours, and its ACLs.

    Args:
        ec2: The client.
        it: The VPC.
        inside: What is known to lie in it.

    """
    known = {id_ for key in _OURS for id_ in inside.values(key)}
    beside = [_extra(it, what, doc) for id_, what, doc in _parts(ec2, it) if id_ not in known]
    ways = [one for one in ways_of(ec2, it) if not one.passing and known.isdisjoint(one.what.split())]
    why = "{}, and would hold up a teardown: {} ends it"
    beside += [Extra(one.what, {}, why.format(_BESIDE, one.remedy)) for one in ways]
    return beside + not_as_born(acls_in(ec2, it.id), inside.values("SubnetId"), ec2.region)


def _parts(ec2: Any, it: Item) -> Iterator[tuple[str, str, Doc]]:
    """Each that lies in it: its id, what it is in words, and what EC2 tells of it."""
    filters = where({"vpc-id": it.id})
    for one in ec2.describe_subnets(Filters=filters)["Subnets"]:
        yield one["SubnetId"], f"subnet {one['SubnetId']} {one['CidrBlock']}", one
    for one in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
        if one["GroupName"] not in ("default", AMAZONS_GROUP):
            yield one["GroupId"], f"security group {one['GroupId']} {one['GroupName']}", one
    for one in endpoints_in(ec2, it):
        if not is_ending(str(one["State"])):
            yield one["VpcEndpointId"], f"endpoint {one['VpcEndpointId']} {one['ServiceName']}", one


def _extra(it: Item, what: str, doc: Doc) -> Extra:
    """Whose one is that lies in it, and what is to be done about it."""
    if is_guard_dutys(doc):
        return Extra(what, {}, _BESIDE, owner="GuardDuty")
    if bears(mapping(doc.get("Tags", [])), it.suffix):
        own = "it bears this stack's own tags, and the state file does not know it"
        return Extra(what, {}, f"{own}; delete it before a teardown")
    return Extra(what, {}, f"{_BESIDE}; delete it before a teardown, which it would hold up")
