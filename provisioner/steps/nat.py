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
    nat_gateways = [
        _declare_nat_gateway(step, number, public_subnet, internet_gateway)
        for number, public_subnet in enumerate(nat_subnets, start=1)
    ]
    route_tables = [
        step(RouteTable, f"routes-private-{number}", VpcId=vpc.id) for number in range(1, max(len(nat_gateways), 1) + 1)
    ]
    routes = [
        _declare_route(step, number, table, nat)
        for number, (table, nat) in enumerate(zip(route_tables, nat_gateways, strict=False), start=1)
    ]
    associations = [
        _declare_association(step, number, subnet, route_tables, nat_gateways, routes)
        for number, subnet in enumerate(private, start=1)
    ]
    return Egress(route_tables, nat_gateways, routes + associations)


def _declare_nat_gateway(
    step: Step, number: int, subnet: ResourceHandle, internet_gateway: ResourceHandle
) -> ResourceHandle:
    """Declare a NAT gateway with an address; creating it fails before the internet gateway is attached."""
    address = step(ElasticIp, f"eip-{number}", Domain="vpc")
    return step(
        NatGateway,
        f"nat-{number}",
        SubnetId=subnet.id,
        AllocationId=address.id,
        ConnectivityType="public",
        depends_on=[internet_gateway],
    )


def _declare_route(step: Step, number: int, table: ResourceHandle, nat: ResourceHandle) -> ResourceHandle:
    return step(
        Route,
        f"route-private-{number}",
        RouteTableId=table.id,
        DestinationCidrBlock=ANYWHERE,
        NatGatewayId=nat.id,
    )


def _declare_association(
    step: Step,
    number: int,
    subnet: ResourceHandle,
    route_tables: list[ResourceHandle],
    nat_gateways: list[ResourceHandle],
    routes: list[ResourceHandle],
) -> ResourceHandle:
    """Declare the association of a private subnet with its route table.

    It waits for the table's route and NAT gateway, so that a subnet that changes its table can go out at
    once.
    """
    index = (number - 1) % len(route_tables)
    dependencies: list[ResourceHandle | Edge] = [*routes[index : index + 1]]
    dependencies += [
        nat.ready("who follows a table goes through its gateway at once") for nat in nat_gateways[index : index + 1]
    ]
    return step(
        RouteTableAssociation,
        f"follows-private-{number}",
        SubnetId=subnet.id,
        RouteTableId=route_tables[index].id,
        depends_on=dependencies,
    )
