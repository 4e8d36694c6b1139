"""The network: a VPC with public and private subnets, an internet gateway and route tables."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.ec2.internet_gateways import GatewayAttachment, InternetGateway
from provisioner.resources.ec2.route_tables import Route, RouteTable, RouteTableAssociation
from provisioner.resources.ec2.vpc import DnsHostnames, DnsSupport, Subnet, Vpc
from provisioner.settings import Settings
from provisioner.steps.lookups import StackLookups
from provisioner.steps.nat import ANYWHERE, declare_egress


@dataclass(frozen=True)
class Network:
    """The network's resources that other steps refer to or wait for."""

    vpc: ResourceHandle
    dns_attributes: list[ResourceHandle]
    public: list[ResourceHandle]
    private: list[ResourceHandle]
    internet_gateway: ResourceHandle
    route_tables: list[ResourceHandle]
    nat_gateways: list[ResourceHandle]
    egress_resources: list[ResourceHandle]


def declare_network(step: Step, settings: Settings, lookups: StackLookups) -> Network:
    """Declare the network, with a public and a private subnet in each zone."""
    vpc = step(Vpc, "vpc", CidrBlock=settings.network.cidr)
    dns_attributes = [
        step(DnsSupport, "vpc-dns-support", VpcId=vpc.id, EnableDnsSupport={"Value": True}),
        step(DnsHostnames, "vpc-dns-hostnames", VpcId=vpc.id, EnableDnsHostnames={"Value": True}),
    ]
    gateway = step(InternetGateway, "igw")
    internet_gateway = step(GatewayAttachment, "igw-vpc", InternetGatewayId=gateway.id, VpcId=vpc.id)
    public_blocks, private_blocks = settings.network.blocks()
    public = _declare_subnets(step, "public", vpc, lookups, public_blocks)
    private = _declare_subnets(step, "private", vpc, lookups, private_blocks)
    public_table = step(RouteTable, "routes-public", VpcId=vpc.id)
    step(
        Route,
        "route-public",
        RouteTableId=public_table.id,
        DestinationCidrBlock=ANYWHERE,
        GatewayId=gateway.id,
        depends_on=[internet_gateway],
    )
    for number, subnet in enumerate(public, start=1):
        step(RouteTableAssociation, f"follows-public-{number}", SubnetId=subnet.id, RouteTableId=public_table.id)
    private_egress = declare_egress(step, settings, vpc, internet_gateway, public, private)
    return Network(
        vpc,
        dns_attributes,
        public,
        private,
        internet_gateway,
        [public_table, *private_egress.route_tables],
        private_egress.nat_gateways,
        private_egress.resources,
    )


def _declare_subnets(
    step: Step, visibility: str, vpc: ResourceHandle, lookups: StackLookups, blocks: list[str]
) -> list[ResourceHandle]:
    """Declare a subnet in each zone; `visibility` is public or private."""
    return [
        step(
            Subnet,
            f"{visibility}-{number}",
            VpcId=vpc.id,
            AvailabilityZone=zone,
            CidrBlock=block,
            # What must be reachable from the internet gets an address of its own.
            MapPublicIpOnLaunch=False,
        )
        for number, (zone, block) in enumerate(zip(lookups.zones, blocks, strict=True), start=1)
    ]
