"""Checks of the security groups and network ACLs on the path from CloudFront to tasks, AWS and database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from provisioner.doctor.finding import Finding, JsonObject, NotApplicable
from provisioner.doctor.network_acls import Traffic, blocked_by_acl
from provisioner.doctor.reads.edge import OriginPath
from provisioner.doctor.reads.network import NetworkAcls
from provisioner.names import MANAGER
from provisioner.resources.tags import mapping
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME

Groups = dict[str, JsonObject]
_ANYWHERE = "0.0.0.0/0"
_HTTPS = 443


@dataclass(frozen=True)
class Peer:
    """The other end of a connection: some security groups, some prefix lists, and a CIDR block.

    A rule matches if it is for one of the groups or lists, or for all addresses of the block.
    """

    groups: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    block: str = _ANYWHERE


@dataclass(frozen=True)
class Path:
    """A connection from some security groups to others at a port; `what` and `whom` name its ends."""

    what: str
    source: Iterable[str]
    whom: str
    target: Iterable[str]
    port: int
    block: str = field(default=_ANYWHERE)


def is_allowed(groups: Iterable[JsonObject], port: int, peer: Peer, *, out: bool) -> bool:
    """Return whether any rule of any of the groups allows a peer at a TCP port."""
    side = "IpPermissionsEgress" if out else "IpPermissions"
    rules = (rule for group in groups for rule in group.get(side, []))
    return any(_at(rule, port) and _is_for(rule, peer) for rule in rules)


def _at(rule: JsonObject, port: int) -> bool:
    """Return whether a rule is for a TCP port."""
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] in ("tcp", "6") and rule["FromPort"] <= port <= rule["ToPort"]


def _is_for(rule: JsonObject, peer: Peer) -> bool:
    """Return whether a rule is for a peer."""
    if any(one.get("GroupId") in peer.groups for one in rule.get("UserIdGroupPairs", [])):
        return True
    if any(one.get("PrefixListId") in peer.lists for one in rule.get("PrefixListIds", [])):
        return True
    whole = ip_network(peer.block)
    return any(whole.subnet_of(ip_network(one["CidrIp"])) for one in rule.get("IpRanges", []))  # type: ignore[arg-type]


def edge_reaches_balancer(
    way: OriginPath, balancer: JsonObject, groups: Groups, lists: set[str], acls: NetworkAcls
) -> Finding | None:
    """Check that the load balancer lets CloudFront in, by prefix list or by CloudFront's security group."""
    own = _chosen(groups, balancer["SecurityGroups"])
    amazons = (id_ for id_, one in groups.items() if way.id and one["GroupName"] == CLOUDFRONT_GROUP_NAME)
    if is_allowed(own, way.port, Peer(frozenset(amazons), frozenset(lists)), out=False):
        requests = Traffic("CloudFront's requests", [], subnets_of(balancer), way.port)
        return blocked_by_acl(requests, acls)
    what = f"No security group of the load balancer ({_named(own)}) lets CloudFront in on port {way.port}."
    return Finding("edge-shut-out", what, "Every request is answered with 504.", "apply")


def balancer_reaches_tasks(
    balancer: JsonObject, services: list[JsonObject], groups: Groups, vpc: JsonObject, acls: NetworkAcls
) -> Finding | None:
    """Check that the load balancer reaches the port of each service's tasks."""
    for service in services:
        for one in service["loadBalancers"]:
            path = Path(
                "the load balancer",
                balancer["SecurityGroups"],
                f"the tasks of {service['serviceName']}",
                security_groups(service),
                one["containerPort"],
                vpc["CidrBlock"],
            )
            why = "Their health check times out, and ECS replaces them for ever."
            asked = Traffic("the load balancer's requests", subnets_of(balancer), subnets_of(service), path.port)
            if shut := _shut(path, groups, why) or blocked_by_acl(asked, acls):
                return shut
    return None


def tasks_reach_aws(services: list[JsonObject], groups: Groups, acls: NetworkAcls) -> Finding | None:
    """Check that the tasks can call AWS, where their images, secrets and logs are."""
    for service in services:
        own = _chosen(groups, security_groups(service))
        if not is_allowed(own, _HTTPS, Peer(), out=True):
            name = service["serviceName"]
            what = f"No security group of the tasks of {name} ({_named(own)}) lets them out on port {_HTTPS}."
            why = "No new task starts: it cannot pull its image, read its secrets or log."
            return Finding("tasks-shut-in", what, why, "apply")
        if shut := blocked_by_acl(Traffic("the tasks' calls of AWS", subnets_of(service), [], _HTTPS), acls):
            return shut
    return None


def tasks_reach_endpoints(
    services: list[JsonObject], endpoints: list[JsonObject], groups: Groups, vpc: JsonObject
) -> Finding | None:
    """Check that each interface endpoint that the tasks use lets them in.

    Calls reach an endpoint through AWS's own names, so an endpoint of somebody else without private DNS gets
    none of them.

    Raises:
        Unset: There is no interface endpoint.

    """
    interfaces = [one for one in endpoints if one["VpcEndpointType"] == "Interface"]
    if not interfaces:
        raise NotApplicable("no interface endpoint: AWS is reached through NAT")
    asked = [one for one in interfaces if _is_ours(one) or one.get("PrivateDnsEnabled")]
    for service in services:
        peer = Peer(frozenset(security_groups(service)), block=vpc["CidrBlock"])
        for one in asked:
            own = _chosen(groups, [group["GroupId"] for group in one.get("Groups", [])])
            if not is_allowed(own, _HTTPS, peer, out=False):
                what = f"The endpoint {one['ServiceName']} ({_named(own)}) does not let the tasks of "
                what += f"{service['serviceName']} in on port {_HTTPS}."
                if _is_ours(one):
                    return Finding("endpoint-shut", what, "Their calls to it time out.", "apply")
                what += " It is not this stack's, so `apply` leaves it alone."
                return Finding("endpoint-shut", what, "Their calls to it time out.", _opened(one, own, vpc))
    return None


def _is_ours(endpoint: JsonObject) -> bool:
    """Return whether an endpoint has the stack's tag: another stack's endpoint cannot be in this VPC."""
    return mapping(endpoint.get("Tags") or []).get("ManagedBy") == MANAGER


def _opened(endpoint: JsonObject, own: list[JsonObject], vpc: JsonObject) -> str:
    """Return the command that lets the VPC into an endpoint.

    No rule is added to the default security group, which `apply` keeps empty: if the endpoint has only that
    group, the command deletes the endpoint.
    """
    group = next((one for one in own if one["GroupName"] != "default"), None)
    if group is None:
        return f"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {endpoint['VpcEndpointId']}"
    span = {"IpProtocol": "tcp", "FromPort": _HTTPS, "ToPort": _HTTPS}
    given = json.dumps([{**span, "IpRanges": [{"CidrIp": vpc["CidrBlock"]}]}], separators=(",", ":"))
    which = f"--group-id {group['GroupId']} --ip-permissions '{given}'"
    return f"aws ec2 authorize-security-group-ingress {which}"


def tasks_reach_database(
    services: list[JsonObject],
    cluster: JsonObject,
    group: JsonObject,
    groups: Groups,
    vpc: JsonObject,
    acls: NetworkAcls,
) -> Finding | None:
    """Check that the tasks reach the database's port in any subnet of its subnet group."""
    there = [one["SubnetIdentifier"] for one in group["Subnets"]]
    theirs = [one["VpcSecurityGroupId"] for one in cluster["VpcSecurityGroups"]]
    for service in services:
        whom = f"the database {cluster['DBClusterIdentifier']}"
        own = security_groups(service)
        tasks = f"the tasks of {service['serviceName']}"
        path = Path(tasks, own, whom, theirs, cluster["Port"], vpc["CidrBlock"])
        asked = Traffic("the tasks' queries", subnets_of(service), there, path.port)
        if shut := _shut(path, groups, "Their connections time out.") or blocked_by_acl(asked, acls):
            return shut
    return None


def _shut(path: Path, groups: Groups, why: str) -> Finding | None:
    """Return a finding if the security group at one end of a path stops the connection."""
    source, target = _chosen(groups, path.source), _chosen(groups, path.target)
    if not is_allowed(source, path.port, Peer(_ids(target), block=path.block), out=True):
        what = f"The security group of {path.what} ({_named(source)}) does not let it out to {path.whom} "
        return Finding("group-shuts-in", f"{what}({_named(target)}) on port {path.port}.", why, "apply")
    if not is_allowed(target, path.port, Peer(_ids(source), block=path.block), out=False):
        what = f"The security group of {path.whom} ({_named(target)}) does not let {path.what} "
        return Finding("group-shuts-out", f"{what}({_named(source)}) in on port {path.port}.", why, "apply")
    return None


def subnets_of(thing: JsonObject) -> list[str]:
    """Return the subnets of a load balancer, or of a service's tasks."""
    if "AvailabilityZones" in thing:
        return [one["SubnetId"] for one in thing["AvailabilityZones"]]
    return list(thing["networkConfiguration"]["awsvpcConfiguration"]["subnets"])


def security_groups(service: JsonObject) -> list[str]:
    """Return the ids of the security groups of a service's tasks."""
    vpc: dict[str, Any] = service["networkConfiguration"]["awsvpcConfiguration"]
    return list(vpc.get("securityGroups", []))


def _chosen(groups: Groups, ids: Iterable[str]) -> list[JsonObject]:
    """Return the security groups with these ids; unknown ids are left out."""
    return [groups[id_] for id_ in ids if id_ in groups]


def _ids(groups: Iterable[JsonObject]) -> frozenset[str]:
    """Return the ids of security groups."""
    return frozenset(one["GroupId"] for one in groups)


def _named(groups: Iterable[JsonObject]) -> str:
    """Return the names and ids of security groups in words."""
    return ", ".join(_names(groups)) or "none"


def _names(groups: Iterable[JsonObject]) -> Iterator[str]:
    """Yield the name and id of each security group."""
    for one in groups:
        yield f"{one['GroupName']} {one['GroupId']}"
