"""The network: a VPC with public and private subnets, an internet gateway and route tables."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.ec2.gateways import GatewayAttachment, InternetGateway
from provisioner.kinds.ec2.routes import Route, RouteTable, RouteTableAssociation
from provisioner.kinds.ec2.vpc import (
    DnsHostnames,
    DnsSupport,
    Subnet,
    Vpc,
)
from provisioner.settings import Settings
from provisioner.steps.facts import Facts
from provisioner.steps.nat import ANYWHERE, outward


@dataclass(frozen=True)
class Network:
    """The network's resources that other steps refer to or wait for."""

    vpc: Handle
    names: list[Handle]
    public: list[Handle]
    private: list[Handle]
    door: Handle
    tables: list[Handle]
    nats: list[Handle]
    ways_out: list[Handle]


def network(up: Piece, s: Settings, facts: Facts) -> Network:
    """Declare the network, with a public and a private subnet in each zone."""
    vpc = up(Vpc, "vpc", CidrBlock=s.network.cidr)
    names = [
        up(DnsSupport, "vpc-dns-support", VpcId=vpc.id, EnableDnsSupport={"Value": True}),
        up(DnsHostnames, "vpc-dns-hostnames", VpcId=vpc.id, EnableDnsHostnames={"Value": True}),
    ]
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
    for n, subnet in enumerate(public, start=1):
        up(RouteTableAssociation, f"follows-public-{n}", SubnetId=subnet.id, RouteTableId=open_table.id)
    out = outward(up, s, vpc, door, public, private)
    return Network(vpc, names, public, private, door, [open_table, *out.tables], out.nats, out.ways)


def _subnets(up: Piece, side: str, vpc: Handle, facts: Facts, blocks: list[str]) -> list[Handle]:
    return [
        up(
            Subnet,
            f"{side}-{n}",
            VpcId=vpc.id,
            AvailabilityZone=zone,
            CidrBlock=block,
            # What must be reachable from the internet gets an address of its own.
            MapPublicIpOnLaunch=False,
        )
        for n, (zone, block) in enumerate(zip(facts.zones, blocks, strict=True), start=1)
    ]
