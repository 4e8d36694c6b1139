"""The ways out of the private subnets: NAT gateways, or none."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.graph import Edge, Handle, Piece
from provisioner.kinds.ec2.nat import ElasticIp, NatGateway
from provisioner.kinds.ec2.routes import Route, RouteTable, RouteTableAssociation
from provisioner.settings import Settings

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Outward:
    """The private tables, the gateways they lead to, and all that stands between a task and the world."""

    tables: list[Handle]
    nats: list[Handle]
    ways: list[Handle]


def outward(
    up: Piece, s: Settings, vpc: Handle, door: Handle, public: list[Handle], private: list[Handle]
) -> Outward:
    """One gateway, one in each zone, or none; each subnet follows the table of its zone, or the only one."""
    homes = {"one": public[:1], "per_zone": public, "none": []}[s.network.nat]
    nats = [_nat(up, n, home, door) for n, home in enumerate(homes, start=1)]
    tables = [up(RouteTable, f"routes-private-{n}", VpcId=vpc.id) for n in range(1, max(len(nats), 1) + 1)]
    routes = [
        _route(up, n, table, nat) for n, (table, nat) in enumerate(zip(tables, nats, strict=False), start=1)
    ]
    follows = [_follow(up, n, subnet, tables, nats, routes) for n, subnet in enumerate(private, start=1)]
    return Outward(tables, nats, routes + follows)


def _nat(up: Piece, n: int, home: Handle, door: Handle) -> Handle:
    """A NAT gateway fails at birth where the internet gateway is not attached."""
    address = up(ElasticIp, f"eip-{n}", Domain="vpc")
    return up(
        NatGateway,
        f"nat-{n}",
        SubnetId=home.id,
        AllocationId=address.id,
        ConnectivityType="public",
        after=[door],
    )


def _route(up: Piece, n: int, table: Handle, nat: Handle) -> Handle:
    return up(
        Route,
        f"route-private-{n}",
        RouteTableId=table.id,
        DestinationCidrBlock=ANYWHERE,
        NatGatewayId=nat.id,
    )


def _follow(
    up: Piece, n: int, subnet: Handle, tables: list[Handle], nats: list[Handle], routes: list[Handle]
) -> Handle:
    """A subnet that changes its table finds the way out of the new one open."""
    at = (n - 1) % len(tables)
    opened: list[Handle | Edge] = [*routes[at : at + 1]]
    opened += [nat.ready("who follows a table goes through its gateway at once") for nat in nats[at : at + 1]]
    return up(
        RouteTableAssociation,
        f"follows-private-{n}",
        SubnetId=subnet.id,
        RouteTableId=tables[at].id,
        after=opened,
    )
