"""The diagram of a stack: which resources are at the edge, in a zone, across subnets, or beside the VPC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.engine.types.health_status import EXISTS
from provisioner.report.resources import ReportResource, ReportResources
from provisioner.terminal.report.model import Box, Map, Subnet, Zone, worst

# The types with a box of their own, by place. The other types are parts of these, or share a box.
_EDGE = ("Certificate", "WebACL", "Distribution")
_BESIDE = ("Certificate", "Table", "Secret", "Bucket", "Key", "EdgeKey", "Topic")
_TITLES = {
    "Distribution": "CloudFront",
    "WebACL": "Firewall (WAF)",
    "Certificate": "Certificate",
    "LoadBalancer": "Load balancer",
    "NatGateway": "NAT gateway",
    "DBCluster": "Aurora",
    "Table": "DynamoDB",
    "Secret": "Secret",
    "Bucket": "Bucket",
    "Topic": "Alerts",
    "Key": "Key",
    "EdgeKey": "Key of the edge",
}
# Types whose resources share one box.
_TOGETHER = {
    "Log groups": ("LogGroup", "ServiceLogGroup"),
    "Alarms": ("Alarm",),
}


def stack_diagram(resources: ReportResources, title: str, region: str) -> Map:
    """Return the whole diagram of a stack.

    Args:
        resources: The resources, by logical id.
        title: The title of the diagram.
        region: The region of the stack.

    """
    network = next(iter(_of(resources, "Vpc")), None)
    drawn = _Boxes()
    zones = tuple(_zones(resources, drawn))
    found = Map(
        title=title,
        region=region,
        edge=tuple(
            drawn.box(resource, _edge(resource)) for resource in _of(resources, *_EDGE) if not _is_inner(resource)
        ),
        network=drawn.box(network, (str(network.props.get("CidrBlock", "")),), "VPC") if network else None,
        front=tuple(drawn.box(resource, (_facing(resource),)) for resource in _of(resources, "LoadBalancer")),
        zones=zones,
        back=tuple(_back(resources, drawn)),
        beside=(*_beside(resources, drawn), *_together(resources, drawn)),
    )
    return Map(**{**vars(found), "parts": len(resources.keys() - drawn.nodes)})


class _Boxes:
    """Makes the boxes, and remembers which resources have one."""

    def __init__(self) -> None:
        self.nodes: set[str] = set()

    def box(self, resource: ReportResource, lines: Iterable[str], title: str = "") -> Box:
        """Return the box of one resource, with these lines in it."""
        self.nodes.add(resource.logical_id)
        told = tuple(line for line in lines if line)
        name = title or _TITLES.get(resource.type_name, resource.type_name)
        about = f"{resource.step}/{resource.logical_id}: {resource.type_name} {resource.aws_name}".rstrip()
        return Box(name, told, resource.state, "" if resource.aws_status == EXISTS else resource.aws_status, about)

    def several(self, title: str, resources: list[ReportResource]) -> Box:
        """Return one box for several resources: it has the worst of their states."""
        self.nodes |= {resource.logical_id for resource in resources}
        state = worst([resource.state for resource in resources])
        unwell = [resource for resource in resources if resource.state == state]
        word = "" if state == "good" or not unwell[0].aws_status else f"{len(unwell)} {unwell[0].aws_status}"
        return Box(
            title, (f"{len(resources)} of them",), state, word, ", ".join(resource.logical_id for resource in resources)
        )


def _of(resources: ReportResources, *type_names: str) -> list[ReportResource]:
    """Return the resources of these types, in the order of the types."""
    found = (resource for resource in resources.values() if resource.type_name in type_names)
    return sorted(found, key=lambda resource: type_names.index(resource.type_name))


def _edge(resource: ReportResource) -> Iterator[str]:
    """Yield the lines in the box of a resource at the edge."""
    if resource.type_name == "Distribution":
        yield str(resource.actual.get("DomainName", ""))
        yield from resource.props.get("Aliases", {}).get("Items", ())
    elif resource.type_name == "WebACL":
        yield f"{len(resource.props.get('Rules', ()))} rules"
    else:
        yield str(resource.props.get("DomainName", resource.aws_name))


def _is_inner(resource: ReportResource) -> bool:
    """Return whether it is the load balancer's certificate, which only CloudFront sees."""
    return resource.type_name == "Certificate" and not resource.logical_id.endswith("edge")


def _beside(resources: ReportResources, drawn: _Boxes) -> Iterator[Box]:
    """Yield the boxes of the resources beside the VPC."""
    for resource in _of(resources, *_BESIDE):
        if resource.type_name != "Certificate" or _is_inner(resource):
            yield drawn.box(resource, (str(resource.props.get("DomainName", resource.aws_name)),))


def _facing(resource: ReportResource) -> str:
    """Return in words who can reach the load balancer."""
    return "answers from inside only" if resource.props.get("Scheme") == "internal" else "faces CloudFront"


def _zones(resources: ReportResources, drawn: _Boxes) -> Iterator[Zone]:
    """Yield the zones with their subnets: subnets with the same number in their names share a zone."""
    numbered: dict[str, dict[str, ReportResource]] = {}
    for resource in _of(resources, "Subnet"):
        side, _, number = resource.logical_id.rpartition("-")
        numbered.setdefault(number, {})[side] = resource
    for number, sides in numbered.items():
        public, private = sides.get("public"), sides.get("private")
        name = _zone_of(next(iter(sides.values()))) or f"zone {number}"
        yield Zone(
            name,
            _subnet(public, drawn, _inside(resources, drawn, public)) if public else None,
            _subnet(private, drawn, _database(resources, drawn, name), _way_out(resources, private))
            if private
            else None,
        )


def _subnet(resource: ReportResource, drawn: _Boxes, inside: Iterable[Box], more: str = "") -> Subnet:
    """Return a subnet with the boxes inside it."""
    lines = (str(resource.props["CidrBlock"]), more)
    return Subnet(drawn.box(resource, lines, resource.logical_id), tuple(inside))


def _inside(resources: ReportResources, drawn: _Boxes, subnet: ReportResource) -> Iterator[Box]:
    """Yield the boxes of the NAT gateways in one subnet."""
    for resource in _of(resources, "NatGateway"):
        if subnet.logical_id in resource.depends_on:
            yield drawn.box(resource, _addresses(resource))


def _addresses(nat: ReportResource) -> Iterator[str]:
    """Yield the public addresses of a NAT gateway."""
    for one in nat.actual.get("NatGatewayAddresses", ()):
        yield str(one.get("PublicIp", ""))


def _database(resources: ReportResources, drawn: _Boxes, zone: str) -> Iterator[Box]:
    """Yield the boxes of the database instances in one zone."""
    for resource in _of(resources, "DBInstance"):
        if _zone_of(resource) == zone:
            yield drawn.box(
                resource, (str(resource.props.get("DBInstanceClass", "")),), f"Aurora {resource.logical_id}"
            )


def _zone_of(resource: ReportResource) -> str:
    """Return the zone of a resource: as AWS says, else as declared; "" if it is not known yet."""
    told = resource.actual.get("AvailabilityZone") or resource.props.get("AvailabilityZone")
    return told if isinstance(told, str) else ""


def _way_out(resources: ReportResources, subnet: ReportResource) -> str:
    """Return in words by which NAT gateway a private subnet reaches the internet."""
    for follows in _of(resources, "RouteTableAssociation"):
        if subnet.logical_id in follows.depends_on:
            tables = set(follows.depends_on) - {subnet.logical_id}
            for route in _of(resources, "Route"):
                ways = [
                    name for name in route.depends_on if name in resources and resources[name].type_name == "NatGateway"
                ]
                if ways and tables & set(route.depends_on):
                    return f"out by {ways[0]}"
    return "no way out"


def _back(resources: ReportResources, drawn: _Boxes) -> Iterator[Box]:
    """Yield the boxes that span the private subnets: services, the database cluster, and endpoints."""
    for resource in _of(resources, "Service"):
        yield drawn.box(
            resource, _service(resources, resource), resource.logical_id.replace("service.", "Service ").capitalize()
        )
    for resource in _of(resources, "DBCluster"):
        count = len(_of(resources, "DBInstance"))
        yield drawn.box(resource, (*_cluster(resource), f"{count} instance{'s' if count > 1 else ''}"))
    endpoints = _of(resources, "VpcEndpoint", "InterfaceEndpoint")
    if endpoints:
        box = drawn.several("Endpoints", endpoints)
        names = ", ".join(resource.logical_id.removeprefix("endpoint-") for resource in endpoints)
        yield Box(box.title, (names,), box.state, box.word, box.about)


def _service(resources: ReportResources, service: ReportResource) -> Iterator[str]:
    """Yield the lines in a service's box: its tasks, their size and their images."""
    if "runningCount" in service.actual:
        yield f"{service.actual['runningCount']} of {service.actual['desiredCount']} tasks run"
    for task in (resources[name] for name in service.depends_on if name in resources):
        if task.type_name == "TaskDefinition":
            yield f"{int(task.props['cpu']) / 1024:g} vCPU, {int(task.props['memory']) / 1024:g} GB each"
            yield from _images(task.props)


def _images(task: dict[str, Any]) -> Iterator[str]:
    """Yield the images of the essential containers of a task definition."""
    for one in task["containerDefinitions"]:
        if one.get("essential", True):
            yield str(one["image"])


def _cluster(cluster: ReportResource) -> Iterator[str]:
    """Yield the lines in the box of a database cluster: its capacity and its version."""
    scale = cluster.props.get("ServerlessV2ScalingConfiguration", {})
    if scale:
        yield f"{scale['MinCapacity']:g} to {scale['MaxCapacity']:g} ACU"
    version = cluster.actual.get("EngineVersion") or cluster.props.get("EngineVersion")
    yield f"{cluster.props.get('Engine', '')} {version if isinstance(version, str) else ''}".rstrip()


def _together(resources: ReportResources, drawn: _Boxes) -> Iterator[Box]:
    """Yield the boxes that several resources share."""
    for title, type_names in _TOGETHER.items():
        found = _of(resources, *type_names)
        if found:
            yield drawn.several(title, found)
