"""The diagram of a stack: which resources are at the edge, in a zone, across subnets, or beside the VPC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.engine.types.health_status import THERE
from provisioner.report.things import Thing, Things
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


def atlas(things: Things, title: str, region: str) -> Map:
    """Return the whole diagram of a stack.

    Args:
        things: The resources, by logical id.
        title: The title of the diagram.
        region: The region of the stack.

    """
    network = next(iter(_of(things, "Vpc")), None)
    drawn = _Drawn()
    zones = tuple(_zones(things, drawn))
    found = Map(
        title=title,
        region=region,
        edge=tuple(drawn.box(one, _edge(one)) for one in _of(things, *_EDGE) if not _is_inner(one)),
        network=drawn.box(network, (str(network.props.get("CidrBlock", "")),), "VPC") if network else None,
        front=tuple(drawn.box(one, (_facing(one),)) for one in _of(things, "LoadBalancer")),
        zones=zones,
        back=tuple(_back(things, drawn)),
        beside=(*_beside(things, drawn), *_together(things, drawn)),
    )
    return Map(**{**vars(found), "parts": len(things.keys() - drawn.nodes)})


class _Drawn:
    """Makes the boxes, and remembers which resources have one."""

    def __init__(self) -> None:
        self.nodes: set[str] = set()

    def box(self, thing: Thing, lines: Iterable[str], title: str = "") -> Box:
        """Return the box of one resource, with these lines in it."""
        self.nodes.add(thing.node)
        told = tuple(line for line in lines if line)
        name = title or _TITLES.get(thing.kind, thing.kind)
        about = f"{thing.piece}/{thing.node}: {thing.kind} {thing.name}".rstrip()
        return Box(name, told, thing.state, "" if thing.word == THERE else thing.word, about)

    def several(self, title: str, things: list[Thing]) -> Box:
        """Return one box for several resources: it has the worst of their states."""
        self.nodes |= {one.node for one in things}
        state = worst([one.state for one in things])
        unwell = [one for one in things if one.state == state]
        word = "" if state == "good" or not unwell[0].word else f"{len(unwell)} {unwell[0].word}"
        return Box(title, (f"{len(things)} of them",), state, word, ", ".join(one.node for one in things))


def _of(things: Things, *type_names: str) -> list[Thing]:
    """Return the resources of these types, in the order of the types."""
    found = (one for one in things.values() if one.kind in type_names)
    return sorted(found, key=lambda one: type_names.index(one.kind))


def _edge(one: Thing) -> Iterator[str]:
    """Yield the lines in the box of a resource at the edge."""
    if one.kind == "Distribution":
        yield str(one.doc.get("DomainName", ""))
        yield from one.props.get("Aliases", {}).get("Items", ())
    elif one.kind == "WebACL":
        yield f"{len(one.props.get('Rules', ()))} rules"
    else:
        yield str(one.props.get("DomainName", one.name))


def _is_inner(one: Thing) -> bool:
    """Return whether it is the load balancer's certificate, which only CloudFront sees."""
    return one.kind == "Certificate" and not one.node.endswith("edge")


def _beside(things: Things, drawn: _Drawn) -> Iterator[Box]:
    """Yield the boxes of the resources beside the VPC."""
    for one in _of(things, *_BESIDE):
        if one.kind != "Certificate" or _is_inner(one):
            yield drawn.box(one, (str(one.props.get("DomainName", one.name)),))


def _facing(one: Thing) -> str:
    """Return in words who can reach the load balancer."""
    return "answers from inside only" if one.props.get("Scheme") == "internal" else "faces CloudFront"


def _zones(things: Things, drawn: _Drawn) -> Iterator[Zone]:
    """Yield the zones with their subnets: subnets with the same number in their names share a zone."""
    numbered: dict[str, dict[str, Thing]] = {}
    for one in _of(things, "Subnet"):
        side, _, number = one.node.rpartition("-")
        numbered.setdefault(number, {})[side] = one
    for number, sides in numbered.items():
        public, private = sides.get("public"), sides.get("private")
        name = _zone_of(next(iter(sides.values()))) or f"zone {number}"
        yield Zone(
            name,
            _subnet(public, drawn, _inside(things, drawn, public)) if public else None,
            _subnet(private, drawn, _database(things, drawn, name), _way_out(things, private)) if private else None,
        )


def _subnet(one: Thing, drawn: _Drawn, inside: Iterable[Box], more: str = "") -> Subnet:
    """Return a subnet with the boxes inside it."""
    lines = (str(one.props["CidrBlock"]), more)
    return Subnet(drawn.box(one, lines, one.node), tuple(inside))


def _inside(things: Things, drawn: _Drawn, subnet: Thing) -> Iterator[Box]:
    """Yield the boxes of the NAT gateways in one subnet."""
    for one in _of(things, "NatGateway"):
        if subnet.node in one.needs:
            yield drawn.box(one, _addresses(one))


def _addresses(nat: Thing) -> Iterator[str]:
    """Yield the public addresses of a NAT gateway."""
    for one in nat.doc.get("NatGatewayAddresses", ()):
        yield str(one.get("PublicIp", ""))


def _database(things: Things, drawn: _Drawn, zone: str) -> Iterator[Box]:
    """Yield the boxes of the database instances in one zone."""
    for one in _of(things, "DBInstance"):
        if _zone_of(one) == zone:
            yield drawn.box(one, (str(one.props.get("DBInstanceClass", "")),), f"Aurora {one.node}")


def _zone_of(one: Thing) -> str:
    """Return the zone of a resource: as AWS says, else as declared; "" if it is not known yet."""
    told = one.doc.get("AvailabilityZone") or one.props.get("AvailabilityZone")
    return told if isinstance(told, str) else ""


def _way_out(things: Things, subnet: Thing) -> str:
    """Return in words by which NAT gateway a private subnet reaches the internet."""
    for follows in _of(things, "RouteTableAssociation"):
        if subnet.node in follows.needs:
            tables = set(follows.needs) - {subnet.node}
            for route in _of(things, "Route"):
                ways = [name for name in route.needs if name in things and things[name].kind == "NatGateway"]
                if ways and tables & set(route.needs):
                    return f"out by {ways[0]}"
    return "no way out"


def _back(things: Things, drawn: _Drawn) -> Iterator[Box]:
    """Yield the boxes that span the private subnets: services, the database cluster, and endpoints."""
    for one in _of(things, "Service"):
        yield drawn.box(one, _service(things, one), one.node.replace("service.", "Service ").capitalize())
    for one in _of(things, "DBCluster"):
        count = len(_of(things, "DBInstance"))
        yield drawn.box(one, (*_cluster(one), f"{count} instance{'s' if count > 1 else ''}"))
    endpoints = _of(things, "VpcEndpoint", "InterfaceEndpoint")
    if endpoints:
        box = drawn.several("Endpoints", endpoints)
        names = ", ".join(one.node.removeprefix("endpoint-") for one in endpoints)
        yield Box(box.title, (names,), box.state, box.word, box.about)


def _service(things: Things, service: Thing) -> Iterator[str]:
    """Yield the lines in a service's box: its tasks, their size and their images."""
    if "runningCount" in service.doc:
        yield f"{service.doc['runningCount']} of {service.doc['desiredCount']} tasks run"
    for task in (things[name] for name in service.needs if name in things):
        if task.kind == "TaskDefinition":
            yield f"{int(task.props['cpu']) / 1024:g} vCPU, {int(task.props['memory']) / 1024:g} GB each"
            yield from _images(task.props)


def _images(task: dict[str, Any]) -> Iterator[str]:
    """Yield the images of the essential containers of a task definition."""
    for one in task["containerDefinitions"]:
        if one.get("essential", True):
            yield str(one["image"])


def _cluster(cluster: Thing) -> Iterator[str]:
    """Yield the lines in the box of a database cluster: its capacity and its version."""
    scale = cluster.props.get("ServerlessV2ScalingConfiguration", {})
    if scale:
        yield f"{scale['MinCapacity']:g} to {scale['MaxCapacity']:g} ACU"
    version = cluster.doc.get("EngineVersion") or cluster.props.get("EngineVersion")
    yield f"{cluster.props.get('Engine', '')} {version if isinstance(version, str) else ''}".rstrip()


def _together(things: Things, drawn: _Drawn) -> Iterator[Box]:
    """Yield the boxes that several resources share."""
    for title, type_names in _TOGETHER.items():
        found = _of(things, *type_names)
        if found:
            yield drawn.several(title, found)
