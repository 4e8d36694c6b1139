"""Checks of the security groups and network ACLs on the path from CloudFront to tasks, AWS and database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from provisioner.doctor.check import Finding, JsonObject, NotApplicable
from provisioner.doctor.network_acls import Traffic, blocked_by_acl
from provisioner.doctor.reads.edge import OriginPath
from provisioner.doctor.reads.network import NetworkAcls
from provisioner.names import MANAGER
from provisioner.resources.tags import mapping
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME

SecurityGroups = dict[str, JsonObject]
_ANYWHERE = "0.0.0.0/0"
_HTTPS = 443


@dataclass(frozen=True)
class Peer:
    """The other end of a connection: some security groups, some prefix lists, and a CIDR block.

    A rule matches if it is for one of the groups or lists, or for all addresses of the block.
    """

    group_ids: frozenset[str] = frozenset()
    prefix_list_ids: frozenset[str] = frozenset()
    cidr_block: str = _ANYWHERE


@dataclass(frozen=True)
class Path:
    """A connection from some security groups to others at a port; `source_name` and `target_name` name its ends."""

    source_name: str
    source_group_ids: Iterable[str]
    target_name: str
    target_group_ids: Iterable[str]
    port: int
    cidr_block: str = _ANYWHERE


def is_allowed(groups: Iterable[JsonObject], port: int, peer: Peer, *, egress: bool) -> bool:
    """Return whether any rule of any of the groups allows a peer at a TCP port."""
    direction = "IpPermissionsEgress" if egress else "IpPermissions"
    rules = (rule for group in groups for rule in group.get(direction, []))
    return any(_covers_port(rule, port) and _covers_peer(rule, peer) for rule in rules)


def _covers_port(rule: JsonObject, port: int) -> bool:
    """Return whether a rule is for a TCP port."""
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] in ("tcp", "6") and rule["FromPort"] <= port <= rule["ToPort"]


def _covers_peer(rule: JsonObject, peer: Peer) -> bool:
    """Return whether a rule is for a peer."""
    if any(pair.get("GroupId") in peer.group_ids for pair in rule.get("UserIdGroupPairs", [])):
        return True
    if any(prefix_list.get("PrefixListId") in peer.prefix_list_ids for prefix_list in rule.get("PrefixListIds", [])):
        return True
    peer_network = ip_network(peer.cidr_block)
    allowed_networks = (ip_network(ip_range["CidrIp"]) for ip_range in rule.get("IpRanges", []))
    return any(peer_network.subnet_of(network) for network in allowed_networks)  # type: ignore[arg-type]


def edge_reaches_balancer(
    origin_path: OriginPath, balancer: JsonObject, groups: SecurityGroups, prefix_list_ids: set[str], acls: NetworkAcls
) -> Finding | None:
    """Check that the load balancer lets CloudFront in, by prefix list or by CloudFront's security group."""
    balancer_groups = _groups_by_id(groups, balancer["SecurityGroups"])
    edge_groups = []
    if origin_path.vpc_origin_id:
        edge_groups = [id_ for id_, group in groups.items() if group["GroupName"] == CLOUDFRONT_GROUP_NAME]
    cloudfront = Peer(frozenset(edge_groups), frozenset(prefix_list_ids))
    if is_allowed(balancer_groups, origin_path.port, cloudfront, egress=False):
        traffic = Traffic("CloudFront's requests", [], _balancer_subnets(balancer), origin_path.port)
        return blocked_by_acl(traffic, acls)
    names = _describe_groups(balancer_groups)
    problem = f"No security group of the load balancer ({names}) lets CloudFront in on port {origin_path.port}."
    return Finding("edge-shut-out", problem, "Every request is answered with 504.", "apply")


def balancer_reaches_tasks(
    balancer: JsonObject, services: list[JsonObject], groups: SecurityGroups, vpc: JsonObject, acls: NetworkAcls
) -> Finding | None:
    """Check that the load balancer reaches the port of each service's tasks."""
    for service in services:
        for target in service["loadBalancers"]:
            path = Path(
                "the load balancer",
                balancer["SecurityGroups"],
                f"the tasks of {service['serviceName']}",
                _task_security_groups(service),
                target["containerPort"],
                vpc["CidrBlock"],
            )
            consequence = "Their health check times out, and ECS replaces them for ever."
            traffic = Traffic(
                "the load balancer's requests", _balancer_subnets(balancer), _task_subnets(service), path.port
            )
            if finding := _blocked_by_group(path, groups, consequence) or blocked_by_acl(traffic, acls):
                return finding
    return None


def tasks_reach_aws(services: list[JsonObject], groups: SecurityGroups, acls: NetworkAcls) -> Finding | None:
    """Check that the tasks can call AWS, where their images, secrets and logs are."""
    for service in services:
        task_groups = _groups_by_id(groups, _task_security_groups(service))
        if not is_allowed(task_groups, _HTTPS, Peer(), egress=True):
            tasks = f"the tasks of {service['serviceName']} ({_describe_groups(task_groups)})"
            problem = f"No security group of {tasks} lets them out on port {_HTTPS}."
            consequence = "No new task starts: it cannot pull its image, read its secrets or log."
            return Finding("tasks-shut-in", problem, consequence, "apply")
        if finding := blocked_by_acl(Traffic("the tasks' calls of AWS", _task_subnets(service), [], _HTTPS), acls):
            return finding
    return None


def tasks_reach_endpoints(
    services: list[JsonObject], endpoints: list[JsonObject], groups: SecurityGroups, vpc: JsonObject
) -> Finding | None:
    """Check that each interface endpoint that the tasks use lets them in.

    Calls reach an endpoint through AWS's own names, so an endpoint of somebody else without private DNS gets
    none of them.

    Raises:
        NotApplicable: There is no interface endpoint.

    """
    interfaces = [endpoint for endpoint in endpoints if endpoint["VpcEndpointType"] == "Interface"]
    if not interfaces:
        raise NotApplicable("no interface endpoint: AWS is reached through NAT")
    used_endpoints = [
        endpoint for endpoint in interfaces if _is_of_stack(endpoint) or endpoint.get("PrivateDnsEnabled")
    ]
    for service in services:
        peer = Peer(frozenset(_task_security_groups(service)), cidr_block=vpc["CidrBlock"])
        for endpoint in used_endpoints:
            endpoint_groups = _groups_by_id(groups, [group["GroupId"] for group in endpoint.get("Groups", [])])
            if not is_allowed(endpoint_groups, _HTTPS, peer, egress=False):
                name = f"The endpoint {endpoint['ServiceName']} ({_describe_groups(endpoint_groups)})"
                problem = f"{name} does not let the tasks of {service['serviceName']} in on port {_HTTPS}."
                command = "apply"
                if not _is_of_stack(endpoint):
                    problem += " It is not this stack's, so `apply` leaves it alone."
                    command = _open_endpoint_command(endpoint, endpoint_groups, vpc)
                return Finding("endpoint-shut", problem, "Their calls to it time out.", command)
    return None


def _is_of_stack(endpoint: JsonObject) -> bool:
    """Return whether an endpoint has the stack's tag: another stack's endpoint cannot be in this VPC."""
    return mapping(endpoint.get("Tags") or []).get("ManagedBy") == MANAGER


def _open_endpoint_command(endpoint: JsonObject, endpoint_groups: list[JsonObject], vpc: JsonObject) -> str:
    """Return the command that lets the VPC into an endpoint.

    No rule is added to the default security group, which `apply` keeps empty: if the endpoint has only that
    group, the command deletes the endpoint.
    """
    changeable = [group for group in endpoint_groups if group["GroupName"] != "default"]
    if not changeable:
        return f"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {endpoint['VpcEndpointId']}"
    port_range = {"IpProtocol": "tcp", "FromPort": _HTTPS, "ToPort": _HTTPS}
    permissions = json.dumps([{**port_range, "IpRanges": [{"CidrIp": vpc["CidrBlock"]}]}], separators=(",", ":"))
    options = f"--group-id {changeable[0]['GroupId']} --ip-permissions '{permissions}'"
    return f"aws ec2 authorize-security-group-ingress {options}"


def tasks_reach_database(
    services: list[JsonObject],
    cluster: JsonObject,
    subnet_group: JsonObject,
    groups: SecurityGroups,
    vpc: JsonObject,
    acls: NetworkAcls,
) -> Finding | None:
    """Check that the tasks reach the database's port in any subnet of its subnet group."""
    database = f"the database {cluster['DBClusterIdentifier']}"
    database_subnets = [subnet["SubnetIdentifier"] for subnet in subnet_group["Subnets"]]
    database_groups = [group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]]
    for service in services:
        tasks, task_groups = f"the tasks of {service['serviceName']}", _task_security_groups(service)
        path = Path(tasks, task_groups, database, database_groups, cluster["Port"], vpc["CidrBlock"])
        traffic = Traffic("the tasks' queries", _task_subnets(service), database_subnets, path.port)
        if finding := _blocked_by_group(path, groups, "Their connections time out.") or blocked_by_acl(traffic, acls):
            return finding
    return None


def _blocked_by_group(path: Path, groups: SecurityGroups, consequence: str) -> Finding | None:
    """Return a finding if the security group at one end of a path stops the connection."""
    source, target = _groups_by_id(groups, path.source_group_ids), _groups_by_id(groups, path.target_group_ids)
    if not is_allowed(source, path.port, Peer(_group_ids(target), cidr_block=path.cidr_block), egress=True):
        subject = f"The security group of {path.source_name} ({_describe_groups(source)})"
        destination = f"{path.target_name} ({_describe_groups(target)})"
        problem = f"{subject} does not let it out to {destination} on port {path.port}."
        return Finding("group-shuts-in", problem, consequence, "apply")
    if not is_allowed(target, path.port, Peer(_group_ids(source), cidr_block=path.cidr_block), egress=False):
        subject = f"The security group of {path.target_name} ({_describe_groups(target)})"
        origin = f"{path.source_name} ({_describe_groups(source)})"
        problem = f"{subject} does not let {origin} in on port {path.port}."
        return Finding("group-shuts-out", problem, consequence, "apply")
    return None


def _balancer_subnets(balancer: JsonObject) -> list[str]:
    """Return the ids of the subnets of a load balancer."""
    return [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]


def _task_subnets(service: JsonObject) -> list[str]:
    """Return the ids of the subnets of a service's tasks."""
    return list(service["networkConfiguration"]["awsvpcConfiguration"]["subnets"])


def _task_security_groups(service: JsonObject) -> list[str]:
    """Return the ids of the security groups of a service's tasks."""
    vpc: dict[str, Any] = service["networkConfiguration"]["awsvpcConfiguration"]
    return list(vpc.get("securityGroups", []))


def _groups_by_id(groups: SecurityGroups, group_ids: Iterable[str]) -> list[JsonObject]:
    """Return the security groups with these ids; unknown ids are left out."""
    return [groups[id_] for id_ in group_ids if id_ in groups]


def _group_ids(groups: Iterable[JsonObject]) -> frozenset[str]:
    """Return the ids of security groups."""
    return frozenset(group["GroupId"] for group in groups)


def _describe_groups(groups: Iterable[JsonObject]) -> str:
    """Return the names and ids of security groups in words."""
    return ", ".join(f"{group['GroupName']} {group['GroupId']}" for group in groups) or "none"
