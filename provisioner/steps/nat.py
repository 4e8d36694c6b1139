"""NAT gateways and route tables of the private subnets."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.resource_graph.graph import Edge, ResourceHandle, Step
from provisioner.resources.ec2.nat_gateways import ElasticIp, NatGateway
from provisioner.resources.ec2.route_tables import Route, RouteTable, RouteTableAssociation
from provisioner.settings import Settings

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Egress:
    """The private route tables, the NAT gateways, and all routes and associations that tasks need."""

    route_tables: list[ResourceHandle]
    nat_gateways: list[ResourceHandle]
    resources: list[ResourceHandle]


def declare_egress(
    step: Step,
    settings: Settings,
    vpc: ResourceHandle,
    internet_gateway: ResourceHandle,
    public: list[ResourceHandle],
    private: list[ResourceHandle],
) -> Egress:
    """Declare one NAT gateway, one per zone, or none, with the private route tables.

    Each private subnet uses the table of its zone if there is one per zone, else the only table.
    """
    nat_subnets = {"one": public[:1], "per_zone": public, "none": []}[settings.network.nat]
    nats = [_declare_nat_gateway(step, n, subnet, internet_gateway) for n, subnet in enumerate(nat_subnets, start=1)]
    tables = [step(RouteTable, f"routes-private-{n}", VpcId=vpc.id) for n in range(1, max(len(nats), 1) + 1)]
    pairs = zip(tables, nats, strict=False)
    routes = [_declare_route(step, n, table, nat) for n, (table, nat) in enumerate(pairs, start=1)]
    associations = [
        _declare_association(step, n, subnet, tables, nats, routes) for n, subnet in enumerate(private, start=1)
    ]
    return Egress(tables, nats, routes + associations)


def _declare_nat_gateway(
    step: Step, n: int, subnet: ResourceHandle, internet_gateway: ResourceHandle
) -> ResourceHandle:
    """Declare a NAT gateway with an address; creating it fails before the internet gateway is attached."""
    address = step(ElasticIp, f"eip-{n}", Domain="vpc")
    return step(
        NatGateway,
        f"nat-{n}",
        SubnetId=subnet.id,
        AllocationId=address.id,
        ConnectivityType="public",
        depends_on=[internet_gateway],
    )


def _declare_route(step: Step, n: int, table: ResourceHandle, nat: ResourceHandle) -> ResourceHandle:
    """Declare the route from a private route table to its NAT gateway."""
    return step(Route, f"route-private-{n}", RouteTableId=table.id, DestinationCidrBlock=ANYWHERE, NatGatewayId=nat.id)


def _declare_association(
    step: Step,
    n: int,
    subnet: ResourceHandle,
    tables: list[ResourceHandle],
    nats: list[ResourceHandle],
    routes: list[ResourceHandle],
) -> ResourceHandle:
    """Declare the association of a private subnet with its route table.

    It waits for the table's route and NAT gateway, so that a subnet that changes its table can go out at
    once.
    """
    index = (n - 1) % len(tables)
    dependencies: list[ResourceHandle | Edge] = []
    if nats:
        gateway = nats[index].ready("a subnet uses the gateway of its table at once")
        dependencies = [routes[index], gateway]
    return step(
        RouteTableAssociation,
        f"follows-private-{n}",
        SubnetId=subnet.id,
        RouteTableId=tables[index].id,
        depends_on=dependencies,
    )
