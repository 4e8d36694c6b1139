"""Checks of the ways into and out of the subnets: routes, NAT gateways, endpoints, DNS and free addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provisioner.doctor.finding import Finding, JsonObject, NotApplicable, ReadResult
from provisioner.doctor.network_acls import Traffic, blocked_by_acl
from provisioner.doctor.reads.network import NetworkAcls

_ANYWHERE, _HTTPS = "0.0.0.0/0", 443
# The services that Fargate calls before and while a task runs (ECR user guide, vpc-endpoints); S3 has the
# layers of images.
_NEEDED = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "s3")
# A rollout doubles the tasks, and each task has its own address.
_FEW = 4
_NO_START = "No new task starts: it cannot pull its image, read its secrets or log."


def vpc_exists(result: ReadResult) -> Finding | None:
    """Check that the VPC exists."""
    return result.missing_finding("vpc-absent", "All else stands in it.") if result.actual is None else None


def dns_is_enabled(attributes: dict[str, bool]) -> Finding | None:
    """Check that AWS's DNS resolver is on in the VPC, and private DNS names if there are endpoints."""
    off = [name for name, on in attributes.items() if not on]
    if not off:
        return None
    what = f"The VPC's attribute {off[0]} is off: its resolver does not answer as it must."
    return Finding("names-unresolved", what, "The tasks find neither AWS nor the database by name.", "apply")


def balancer_has_internet_route(balancer: JsonObject, tables: list[JsonObject]) -> Finding | None:
    """Check that each subnet of an internet-facing load balancer has a live route to an internet gateway.

    Raises:
        Unset: The load balancer is internal.

    """
    if balancer["Scheme"] != "internet-facing":
        raise NotApplicable("the load balancer is in private subnets: CloudFront has a way of its own")
    for one in balancer["AvailabilityZones"]:
        if not _is_open(one, tables):
            what = f"The load balancer's subnet {one['SubnetId']} has no live route to an internet gateway."
            why = "CloudFront reaches it in some zones only, or not at all: requests are answered with 504."
            return Finding("no-way-in", what, why, "apply")
    return None


def _is_open(subnet: JsonObject, tables: list[JsonObject]) -> bool:
    """Return whether a subnet has a live default route to an internet gateway."""
    route = _default(subnet, tables) or {}
    return str(route.get("GatewayId", "")).startswith("igw-") and route.get("State") != "blackhole"


def tasks_have_route_out(
    services: list[JsonObject], subnets: list[JsonObject], tables: list[JsonObject], endpoints: list[JsonObject]
) -> Finding | None:
    """Check that each subnet of the tasks has a live route out, or the endpoints that a task needs."""
    for subnet in _of_tasks(services, subnets):
        route = _default(subnet, tables)
        id_ = subnet["SubnetId"]
        if route is None and (lacking := _lacking(endpoints)):
            what = f"The tasks' subnet {id_} has no route out and no endpoint for {', '.join(lacking)}."
            return Finding("no-way-out", what, _NO_START, "apply")
        if route is not None and route.get("State") == "blackhole":
            where = route.get("NatGatewayId") or route.get("GatewayId", "")
            what = f"The route out of the tasks' subnet {id_} leads to {where}, which is gone."
            return Finding("way-out-gone", what, _NO_START, "apply")
    return None


def nat_gateways_work(
    services: list[JsonObject],
    subnets: list[JsonObject],
    tables: list[JsonObject],
    gateways: list[JsonObject],
    acls: NetworkAcls,
) -> Finding | None:
    """Check that each NAT gateway on a route of the tasks is available, and can itself get out.

    Raises:
        Unset: No live route leads through a NAT gateway.

    """
    routes = [_default(subnet, tables) for subnet in _of_tasks(services, subnets)]
    live = [route for route in routes if route and route.get("State") != "blackhole"]
    used = {route["NatGatewayId"] for route in live if route.get("NatGatewayId")}
    if not used:
        raise NotApplicable("no live route leads through a NAT gateway")
    known = {one["NatGatewayId"]: one for one in gateways}
    for id_ in sorted(used):
        one = known.get(id_, {"State": "gone"})
        if one["State"] != "available":
            said = str(one.get("FailureMessage", "")).rstrip(".")
            what = f"The NAT gateway {id_} is {one['State']}{f': {said}' if said else ''}."
            return Finding("nat-not-open", what, _NO_START, "apply")
        if not _is_open(one, tables):
            what = f"The NAT gateway {id_} has no way out: its subnet {one['SubnetId']} has no live route to "
            return Finding("nat-shut-in", f"{what}an internet gateway.", _NO_START, "apply")
        if shut := blocked_by_acl(Traffic("what goes through NAT", [one["SubnetId"]], [], _HTTPS), acls):
            return shut
    return None


def endpoints_work(
    endpoints: list[JsonObject], services: list[JsonObject], subnets: list[JsonObject], tables: list[JsonObject]
) -> Finding | None:
    """Check that each endpoint is available, and that gateway endpoints are in the tasks' route tables."""
    followed = {
        table["RouteTableId"] for subnet in _of_tasks(services, subnets) for table in [_table(subnet, tables)] if table
    }
    for one in endpoints:
        if one["State"] != "available":
            what = f"The endpoint {one['ServiceName']} ({one['VpcEndpointId']}) is {one['State']}."
            return Finding(
                "endpoint-not-open",
                what,
                "Calls to that service fail, or take the dearer way through NAT.",
                "apply",
            )
        lost = followed - set(one.get("RouteTableIds", []))
        if one["VpcEndpointType"] == "Gateway" and lost:
            what = f"The endpoint {one['ServiceName']} adds no route to {', '.join(sorted(lost))}."
            return Finding(
                "endpoint-off-route",
                what,
                "Calls to that service fail, or take the dearer way through NAT.",
                "apply",
            )
    return None


def subnets_have_addresses(services: list[JsonObject], subnets: list[JsonObject]) -> Finding | None:
    """Check that the tasks' subnets have free addresses."""
    for subnet in _of_tasks(services, subnets):
        if subnet["AvailableIpAddressCount"] < _FEW:
            free = subnet["AvailableIpAddressCount"]
            what = f"The tasks' subnet {subnet['SubnetId']} has {free} free addresses."
            command = "aws ec2 describe-network-interfaces --filters Name=subnet-id,Values=" + subnet["SubnetId"]
            return Finding(
                "no-addresses-left", what, "A task needs one to start; a rollout doubles the tasks.", command
            )
    return None


def _of_tasks(services: Iterable[JsonObject], subnets: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Return the subnets that tasks of the services use."""
    used = {id_ for service in services for id_ in service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]}
    return (one for one in subnets if one["SubnetId"] in used)


def _table(subnet: JsonObject, tables: list[JsonObject]) -> JsonObject | None:
    """Return the route table of a subnet: its own, else the VPC's main one."""
    by_subnet = {one.get("SubnetId"): table for table in tables for one in table["Associations"]}
    main = (table for table in tables if any(one.get("Main") for one in table["Associations"]))
    return by_subnet.get(subnet["SubnetId"]) or next(main, None)


def _default(subnet: JsonObject, tables: list[JsonObject]) -> JsonObject | None:
    """Return the default route of a subnet; None if it has none."""
    routes = (_table(subnet, tables) or {"Routes": []})["Routes"]
    return next((one for one in routes if one.get("DestinationCidrBlock") == _ANYWHERE), None)


def _lacking(endpoints: list[JsonObject]) -> list[str]:
    """Return the names of the services that a task needs and that have no endpoint."""
    there = [one["ServiceName"] for one in endpoints]
    return [name for name in _NEEDED if not any(one.endswith(f".{name}") for one in there)]
