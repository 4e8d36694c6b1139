"""The diagram of a stack: which resources are at the edge, in a zone, across subnets, or beside the VPC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import EXISTS
from provisioner.report.resources import ReportResource, ReportResources
from provisioner.terminal.report.contents import Box, Diagram, Subnet, Zone, worst

# The types with a box of their own, by place. The other types are parts of these, or share a box.
_EDGE_TYPES = ("Certificate", "WebACL", "Distribution")
_OUTSIDE_TYPES = ("Certificate", "Table", "Secret", "Bucket", "Key", "EdgeKey", "Topic")
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
_SHARED_BOXES = {
    "Log groups": ("LogGroup", "ServiceLogGroup"),
    "Alarms": ("Alarm",),
}


def stack_diagram(resources: ReportResources, title: str, region: str) -> Diagram:
    """Return the whole diagram of a stack.

    Args:
        resources: The resources, by logical id.
        title: The title of the diagram.
        region: The region of the stack.

    """
    vpc = next(iter(_resources_of(resources, "Vpc")), None)
    boxes = _BoxBuilder()
    at_edge = [
        resource for resource in _resources_of(resources, *_EDGE_TYPES) if not _is_balancer_certificate(resource)
    ]
    balancers = _resources_of(resources, "LoadBalancer")
    diagram = Diagram(
        title=title,
        region=region,
        edge=tuple(boxes.box(resource, _edge_lines(resource)) for resource in at_edge),
        network=boxes.box(vpc, (str(vpc.props.get("CidrBlock", "")),), "VPC") if vpc else None,
        across_public=tuple(boxes.box(balancer, (_describe_exposure(balancer),)) for balancer in balancers),
        zones=tuple(_zones(resources, boxes)),
        across_private=tuple(_private_boxes(resources, boxes)),
        outside_network=(*_outside_boxes(resources, boxes), *_shared_boxes(resources, boxes)),
    )
    return replace(diagram, undrawn_count=len(resources.keys() - boxes.drawn_ids))


class _BoxBuilder:
    """A builder of boxes that remembers which resources it has drawn."""

    def __init__(self) -> None:
        self.drawn_ids: set[str] = set()

    def box(self, resource: ReportResource, lines: Iterable[str], title: str = "") -> Box:
        """Return the box of one resource, with these lines in it."""
        self.drawn_ids.add(resource.logical_id)
        return Box(
            title=title or _TITLES.get(resource.type_name, resource.type_name),
            lines=tuple(line for line in lines if line),
            status=resource.status,
            status_text="" if resource.aws_status == EXISTS else resource.aws_status,
            tooltip=f"{resource.step}/{resource.logical_id}: {resource.type_name} {resource.aws_name}".rstrip(),
        )

    def shared_box(self, title: str, resources: list[ReportResource]) -> Box:
        """Return one box for several resources, with the worst of their statuses and how many have it."""
        self.drawn_ids |= {resource.logical_id for resource in resources}
        status = worst([resource.status for resource in resources])
        with_status = [resource for resource in resources if resource.status == status]
        aws_status = with_status[0].aws_status
        return Box(
            title=title,
            lines=(f"{len(resources)} resources",),
            status=status,
            status_text=f"{len(with_status)} {aws_status}" if status != "good" and aws_status else "",
            tooltip=", ".join(resource.logical_id for resource in resources),
        )


def _resources_of(resources: ReportResources, *type_names: str) -> list[ReportResource]:
    """Return the resources of these types, in the order of the types."""
    matching = (resource for resource in resources.values() if resource.type_name in type_names)
    return sorted(matching, key=lambda resource: type_names.index(resource.type_name))


def _edge_lines(resource: ReportResource) -> Iterator[str]:
    """Yield the lines in the box of a resource at the edge."""
    if resource.type_name == "Distribution":
        yield str(resource.actual.get("DomainName", ""))
        yield from resource.props.get("Aliases", {}).get("Items", ())
    elif resource.type_name == "WebACL":
        yield f"{len(resource.props.get('Rules', ()))} rules"
    else:
        yield str(resource.props.get("DomainName", resource.aws_name))


def _is_balancer_certificate(resource: ReportResource) -> bool:
    """Return whether it is the load balancer's certificate, which only CloudFront sees."""
    return resource.type_name == "Certificate" and not resource.logical_id.endswith("edge")


def _outside_boxes(resources: ReportResources, boxes: _BoxBuilder) -> Iterator[Box]:
    """Yield the boxes of the resources beside the VPC."""
    for resource in _resources_of(resources, *_OUTSIDE_TYPES):
        if resource.type_name != "Certificate" or _is_balancer_certificate(resource):
            yield boxes.box(resource, (str(resource.props.get("DomainName", resource.aws_name)),))


def _describe_exposure(resource: ReportResource) -> str:
    """Return in words who can reach the load balancer."""
    return "internal" if resource.props.get("Scheme") == "internal" else "internet-facing"


def _zones(resources: ReportResources, boxes: _BoxBuilder) -> Iterator[Zone]:
    """Yield the zones with their subnets: subnets with the same number in their names share a zone."""
    numbered: dict[str, dict[str, ReportResource]] = {}
    for resource in _resources_of(resources, "Subnet"):
        side, _, number = resource.logical_id.rpartition("-")
        numbered.setdefault(number, {})[side] = resource
    for number, sides in numbered.items():
        public, private = sides.get("public"), sides.get("private")
        name = _zone_of(next(iter(sides.values()))) or f"zone {number}"
        yield Zone(
            name,
            _subnet(public, boxes, _nat_gateway_boxes(resources, boxes, public)) if public else None,
            _subnet(private, boxes, _instance_boxes(resources, boxes, name), _describe_egress(resources, private))
            if private
            else None,
        )


def _subnet(resource: ReportResource, boxes: _BoxBuilder, inside: Iterable[Box], detail: str = "") -> Subnet:
    """Return a subnet with the boxes inside it."""
    lines = (str(resource.props["CidrBlock"]), detail)
    return Subnet(boxes.box(resource, lines, resource.logical_id), tuple(inside))


def _nat_gateway_boxes(resources: ReportResources, boxes: _BoxBuilder, subnet: ReportResource) -> Iterator[Box]:
    """Yield the boxes of the NAT gateways in one subnet."""
    for resource in _resources_of(resources, "NatGateway"):
        if subnet.logical_id in resource.depends_on:
            yield boxes.box(resource, _public_addresses(resource))


def _public_addresses(nat: ReportResource) -> Iterator[str]:
    """Yield the public addresses of a NAT gateway."""
    for address in nat.actual.get("NatGatewayAddresses", ()):
        yield str(address.get("PublicIp", ""))


def _instance_boxes(resources: ReportResources, boxes: _BoxBuilder, zone: str) -> Iterator[Box]:
    """Yield the boxes of the database instances in one zone."""
    for resource in _resources_of(resources, "DBInstance"):
        if _zone_of(resource) == zone:
            yield boxes.box(
                resource, (str(resource.props.get("DBInstanceClass", "")),), f"Aurora {resource.logical_id}"
            )


def _zone_of(resource: ReportResource) -> str:
    """Return the zone of a resource: as AWS says, else as declared; "" if it is not known yet."""
    zone = resource.actual.get("AvailabilityZone") or resource.props.get("AvailabilityZone")
    return zone if isinstance(zone, str) else ""


def _describe_egress(resources: ReportResources, subnet: ReportResource) -> str:
    """Return in words by which NAT gateway a private subnet reaches the internet."""
    associations = _resources_of(resources, "RouteTableAssociation")
    tables = {
        name
        for association in associations
        if subnet.logical_id in association.depends_on
        for name in association.depends_on
    } - {subnet.logical_id}
    nat_gateways = {resource.logical_id for resource in _resources_of(resources, "NatGateway")}
    for route in _resources_of(resources, "Route"):
        for name in route.depends_on if tables & set(route.depends_on) else ():
            if name in nat_gateways:
                return f"egress via {name}"
    return "no egress"


def _private_boxes(resources: ReportResources, boxes: _BoxBuilder) -> Iterator[Box]:
    """Yield the boxes that span the private subnets: services, the database cluster, and endpoints."""
    for resource in _resources_of(resources, "Service"):
        yield boxes.box(
            resource,
            _service_lines(resources, resource),
            resource.logical_id.replace("service.", "Service ").capitalize(),
        )
    for resource in _resources_of(resources, "DBCluster"):
        count = len(_resources_of(resources, "DBInstance"))
        yield boxes.box(resource, (*_cluster_lines(resource), f"{count} instance{'s' if count > 1 else ''}"))
    endpoints = _resources_of(resources, "VpcEndpoint", "InterfaceEndpoint")
    if endpoints:
        box = boxes.shared_box("Endpoints", endpoints)
        names = ", ".join(resource.logical_id.removeprefix("endpoint-") for resource in endpoints)
        yield Box(box.title, (names,), box.status, box.status_text, box.tooltip)


def _service_lines(resources: ReportResources, service: ReportResource) -> Iterator[str]:
    """Yield the lines in a service's box: its tasks, their size and their images."""
    if "runningCount" in service.actual:
        yield f"{service.actual['runningCount']} of {service.actual['desiredCount']} tasks run"
    for task in (resources[name] for name in service.depends_on if name in resources):
        if task.type_name == "TaskDefinition":
            yield f"{int(task.props['cpu']) / 1024:g} vCPU, {int(task.props['memory']) / 1024:g} GB each"
            yield from _image_names(task.props)


def _image_names(task: JsonObject) -> Iterator[str]:
    """Yield the images of the essential containers of a task definition."""
    for container in task["containerDefinitions"]:
        if container.get("essential", True):
            yield str(container["image"])


def _cluster_lines(cluster: ReportResource) -> Iterator[str]:
    """Yield the lines in the box of a database cluster: its capacity and its version."""
    scaling = cluster.props.get("ServerlessV2ScalingConfiguration", {})
    if scaling:
        yield f"{scaling['MinCapacity']:g} to {scaling['MaxCapacity']:g} ACU"
    version = cluster.actual.get("EngineVersion") or cluster.props.get("EngineVersion")
    yield f"{cluster.props.get('Engine', '')} {version if isinstance(version, str) else ''}".rstrip()


def _shared_boxes(resources: ReportResources, boxes: _BoxBuilder) -> Iterator[Box]:
    """Yield the boxes that several resources share."""
    for title, type_names in _SHARED_BOXES.items():
        matching = _resources_of(resources, *type_names)
        if matching:
            yield boxes.shared_box(title, matching)
