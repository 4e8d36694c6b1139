"""Checks of the ways into and out of the subnets: routes, NAT gateways, endpoints, DNS and free addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provisioner.doctor.check import Finding, JsonObject, NotApplicable, ReadResult
from provisioner.doctor.network_acls import Traffic, blocked_by_acl
from provisioner.doctor.reads.network import NetworkAcls

_ANYWHERE, _HTTPS = "0.0.0.0/0", 443
# The services that Fargate calls before and while a task runs (ECR user guide, vpc-endpoints); S3 has the
# layers of images.
_SERVICES_OF_FARGATE = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "s3")
# A rollout doubles the tasks, and each task has its own address.
_MIN_FREE_ADDRESSES = 4
_NO_START = "No new task starts: it cannot pull its image, read its secrets or log."


def vpc_exists(result: ReadResult) -> Finding | None:
    """Check that the VPC exists."""
    if result.actual is None:
        return result.missing_finding("vpc-absent", "Load balancer, tasks and database are in it.")
    return None


def dns_is_enabled(attributes: dict[str, bool]) -> Finding | None:
    """Check that AWS's DNS resolver is on in the VPC, and private DNS names if there are endpoints."""
    disabled = [name for name, is_on in attributes.items() if not is_on]
    if not disabled:
        return None
    problem = f"The VPC's attribute {disabled[0]} is off: its resolver does not answer as it must."
    return Finding("names-unresolved", problem, "The tasks find neither AWS nor the database by name.", "apply")


def balancer_has_internet_route(balancer: JsonObject, tables: list[JsonObject]) -> Finding | None:
    """Check that each subnet of an internet-facing load balancer has a live route to an internet gateway.

    Raises:
        NotApplicable: The load balancer is internal.

    """
    if balancer["Scheme"] != "internet-facing":
        raise NotApplicable("the load balancer is in private subnets: CloudFront has a way of its own")
    for zone in balancer["AvailabilityZones"]:
        if not _has_internet_route(zone, tables):
            problem = f"The load balancer's subnet {zone['SubnetId']} has no live route to an internet gateway."
            consequence = "CloudFront reaches it in some zones only, or not at all: requests are answered with 504."
            return Finding("no-way-in", problem, consequence, "apply")
    return None


def _has_internet_route(subnet: JsonObject, tables: list[JsonObject]) -> bool:
    """Return whether a subnet has a live default route to an internet gateway."""
    route = _default_route(subnet, tables) or {}
    return str(route.get("GatewayId", "")).startswith("igw-") and route.get("State") != "blackhole"


def tasks_have_route_out(
    services: list[JsonObject], subnets: list[JsonObject], tables: list[JsonObject], endpoints: list[JsonObject]
) -> Finding | None:
    """Check that each subnet of the tasks has a live route out, or the endpoints that a task needs."""
    for subnet in _task_subnets(services, subnets):
        route = _default_route(subnet, tables)
        subnet_id = subnet["SubnetId"]
        if route is None and (missing_services := _services_without_endpoint(endpoints)):
            names = ", ".join(missing_services)
            problem = f"The tasks' subnet {subnet_id} has no route out and no endpoint for {names}."
            return Finding("no-way-out", problem, _NO_START, "apply")
        if route is not None and route.get("State") == "blackhole":
            target = route.get("NatGatewayId") or route.get("GatewayId", "")
            problem = f"The route out of the tasks' subnet {subnet_id} leads to {target}, which is gone."
            return Finding("way-out-gone", problem, _NO_START, "apply")
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
        NotApplicable: No live route leads through a NAT gateway.

    """
    routes = [_default_route(subnet, tables) for subnet in _task_subnets(services, subnets)]
    live_routes = [route for route in routes if route and route.get("State") != "blackhole"]
    used_ids = {route["NatGatewayId"] for route in live_routes if route.get("NatGatewayId")}
    if not used_ids:
        raise NotApplicable("no live route leads through a NAT gateway")
    gateways_by_id = {gateway["NatGatewayId"]: gateway for gateway in gateways}
    for gateway_id in sorted(used_ids):
        gateway = gateways_by_id.get(gateway_id, {"State": "gone"})
        if gateway["State"] != "available":
            reason = str(gateway.get("FailureMessage", "")).rstrip(".")
            problem = f"The NAT gateway {gateway_id} is {gateway['State']}{f': {reason}' if reason else ''}."
            return Finding("nat-not-open", problem, _NO_START, "apply")
        if not _has_internet_route(gateway, tables):
            cause = f"its subnet {gateway['SubnetId']} has no live route to an internet gateway"
            problem = f"The NAT gateway {gateway_id} has no way out: {cause}."
            return Finding("nat-shut-in", problem, _NO_START, "apply")
        if finding := blocked_by_acl(Traffic("what goes through NAT", [gateway["SubnetId"]], [], _HTTPS), acls):
            return finding
    return None


def endpoints_work(
    endpoints: list[JsonObject], services: list[JsonObject], subnets: list[JsonObject], tables: list[JsonObject]
) -> Finding | None:
    """Check that each endpoint is available, and that gateway endpoints are in the tasks' route tables."""
    task_tables = [_route_table_of(subnet, tables) for subnet in _task_subnets(services, subnets)]
    table_ids = {table["RouteTableId"] for table in task_tables if table}
    consequence = "Calls to that service fail, or take the dearer way through NAT."
    for endpoint in endpoints:
        if endpoint["State"] != "available":
            problem = f"The endpoint {endpoint['ServiceName']} ({endpoint['VpcEndpointId']}) is {endpoint['State']}."
            return Finding("endpoint-not-open", problem, consequence, "apply")
        missing_tables = table_ids - set(endpoint.get("RouteTableIds", []))
        if endpoint["VpcEndpointType"] == "Gateway" and missing_tables:
            problem = f"The endpoint {endpoint['ServiceName']} adds no route to {', '.join(sorted(missing_tables))}."
            return Finding("endpoint-off-route", problem, consequence, "apply")
    return None


def subnets_have_addresses(services: list[JsonObject], subnets: list[JsonObject]) -> Finding | None:
    """Check that the tasks' subnets have free addresses."""
    for subnet in _task_subnets(services, subnets):
        if subnet["AvailableIpAddressCount"] < _MIN_FREE_ADDRESSES:
            subnet_id, free_count = subnet["SubnetId"], subnet["AvailableIpAddressCount"]
            problem = f"The tasks' subnet {subnet_id} has {free_count} free addresses."
            consequence = "A task needs one to start; a rollout doubles the tasks."
            command = f"aws ec2 describe-network-interfaces --filters Name=subnet-id,Values={subnet_id}"
            return Finding("no-addresses-left", problem, consequence, command)
    return None


def _task_subnets(services: Iterable[JsonObject], subnets: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Return the subnets that tasks of the services use."""
    subnet_ids = {
        subnet_id
        for service in services
        for subnet_id in service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    }
    return (subnet for subnet in subnets if subnet["SubnetId"] in subnet_ids)


def _route_table_of(subnet: JsonObject, tables: list[JsonObject]) -> JsonObject | None:
    """Return the route table of a subnet: its own, else the VPC's main one."""
    by_subnet = {association.get("SubnetId"): table for table in tables for association in table["Associations"]}
    main_tables = (table for table in tables if any(association.get("Main") for association in table["Associations"]))
    return by_subnet.get(subnet["SubnetId"]) or next(main_tables, None)


def _default_route(subnet: JsonObject, tables: list[JsonObject]) -> JsonObject | None:
    """Return the default route of a subnet; None if it has none."""
    routes = (_route_table_of(subnet, tables) or {"Routes": []})["Routes"]
    return next((route for route in routes if route.get("DestinationCidrBlock") == _ANYWHERE), None)


def _services_without_endpoint(endpoints: list[JsonObject]) -> list[str]:
    """Return the names of the services that a task needs and that have no endpoint."""
    service_names = [endpoint["ServiceName"] for endpoint in endpoints]
    return [
        needed
        for needed in _SERVICES_OF_FARGATE
        if not any(service_name.endswith(f".{needed}") for service_name in service_names)
    ]
