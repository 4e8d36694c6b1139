"""The network: public subnets behind an internet gateway, private ones that leave through NAT."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.ec2.nat import ElasticIp, NatGateway
from provisioner.kinds.ec2.routes import Route, RouteTable, RouteTableAssociation, VpcEndpoint
from provisioner.kinds.ec2.vpc import (
    DnsHostnames,
    DnsSupport,
    GatewayAttachment,
    InternetGateway,
    Subnet,
    Vpc,
)
from provisioner.settings import Settings
from provisioner.steps.facts import Facts

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Network:
    """What others stand in, and the ways in and out."""

    vpc: Handle
    public: list[Handle]
    private: list[Handle]
    door: Handle
    nats: list[Handle]
    ways_out: list[Handle]


def network(up: Piece, s: Settings, facts: Facts) -> Network:
    """A public and a private subnet in each zone."""
    vpc = up(Vpc, "vpc", CidrBlock=s.network.cidr)
    up(DnsSupport, "vpc-dns-support", VpcId=vpc.id, EnableDnsSupport={"Value": True})
    up(DnsHostnames, "vpc-dns-hostnames", VpcId=vpc.id, EnableDnsHostnames={"Value": True})
    gateway = up(InternetGateway, "igw")
    door = up(GatewayAttachment, "igw-vpc", InternetGatewayId=gateway.id, VpcId=vpc.id)
    public_blocks, private_blocks = s.network.blocks()
    public = _subnets(up, "public", vpc, facts, public_blocks)
    private = _subnets(up, "private", vpc, facts, private_blocks)
    open_table = up(RouteTable, "routes-public", VpcId=vpc.id)
    up(
        Route,
        "route-public",
        RouteTableId=open_table.id,
        DestinationCidrBlock=ANYWHERE,
        GatewayId=gateway.id,
        after=[door],
    )
    _follow(up, "public", public, [open_table])
    nats = _nats(up, s, public, door)
    tables = [up(RouteTable, f"routes-private-{n}", VpcId=vpc.id) for n in _count(nats)]
    ways_out = [
        up(
            Route,
            f"route-private-{n}",
            RouteTableId=table.id,
            DestinationCidrBlock=ANYWHERE,
            NatGatewayId=nat.id,
        )
        for n, table, nat in zip(_count(nats), tables, nats, strict=True)
    ]
    follows = _follow(up, "private", private, tables)
    _endpoints(up, vpc, [open_table, *tables])
    return Network(vpc, public, private, door, nats, ways_out + follows)


def _subnets(up: Piece, side: str, vpc: Handle, facts: Facts, blocks: list[str]) -> list[Handle]:
    return [
        up(Subnet, f"{side}-{n}", VpcId=vpc.id, AvailabilityZone=zone, CidrBlock=block)
        for n, zone, block in zip(_count(blocks), facts.zones, blocks, strict=True)
    ]


def _nats(up: Piece, s: Settings, public: list[Handle], door: Handle) -> list[Handle]:
    """A NAT gateway fails at birth where the internet gateway is not attached."""
    homes = public if s.network.nat == "per_zone" else public[:1]
    addresses = [up(ElasticIp, f"eip-{n}", Domain="vpc") for n in _count(homes)]
    return [
        up(
            NatGateway,
            f"nat-{n}",
            SubnetId=home.id,
            AllocationId=address.id,
            ConnectivityType="public",
            after=[door],
        )
        for n, home, address in zip(_count(homes), homes, addresses, strict=True)
    ]


def _follow(up: Piece, side: str, subnets: list[Handle], tables: list[Handle]) -> list[Handle]:
    """Each subnet follows the table of its zone, or the only one."""
    return [
        up(
            RouteTableAssociation,
            f"follows-{side}-{n}",
            SubnetId=subnet.id,
            RouteTableId=tables[(n - 1) % len(tables)].id,
        )
        for n, subnet in zip(_count(subnets), subnets, strict=True)
    ]


def _endpoints(up: Piece, vpc: Handle, tables: list[Handle]) -> None:
    """S3 and DynamoDB without the NAT gateway's charge per gigabyte."""
    for service in ("s3", "dynamodb"):
        up(
            VpcEndpoint,
            f"endpoint-{service}",
            VpcId=vpc.id,
            VpcEndpointType="Gateway",
            ServiceName=f"com.amazonaws.{up.stack.region}.{service}",
            RouteTableIds=[table.id for table in tables],
        )


def _count(things: list[str] | list[Handle]) -> range:
    return range(1, len(things) + 1)
