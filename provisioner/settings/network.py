"""The settings of the VPC: its CIDR block, its subnets and zones, its NAT gateways."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from provisioner.errors import quoted
from provisioner.settings.section import Incompatible, Section, unit

# AWS accepts a VPC of /16 to /28. A load balancer's subnet has at least a /27, and 16 of those fit in a /23.
_VPC_PREFIXES = (16, 23)
# VPC user guide: subnets of /16 to /28; Elastic Load Balancing user guide: /27 for a balancer.
_SUBNET_PREFIXES = (16, 27)
_FIRST_PRIVATE = 10
_MIN_ZONES, MAX_ZONES = 2, 6


_OUTSIDE_REMEDY = (
    "Name blocks inside `network.cidr` in `network.public_cidrs` and `network.private_cidrs`, or a "
    "`network.cidr` that holds them."
)
_OVERLAP_REMEDY = (
    "Name blocks that do not overlap in `network.public_cidrs` and `network.private_cidrs`; where only one "
    "of the two is set, the other's are cut from `network.cidr`: set both."
)
# EC2 accepts no VPC in these: "this" network, loopback, link-local and multicast (RFC 6890, RFC 5771). Other
# public blocks are allowed (VPC user guide, VPC CIDR blocks).
_RESERVED_BLOCKS = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")))


def _check_block(text: str, lengths: tuple[int, int], resource: str) -> str:
    """Return the CIDR block; raise ValueError, with the nearest possible block if any, if it is not valid.

    Args:
        text: The CIDR block.
        lengths: The shortest and the longest prefix that AWS accepts.
        resource: The resource that gets the block, for the message.

    """
    try:
        network = IPv4Network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is no block of IPv4 addresses") from error
    shortest, longest = lengths
    nearest = network if shortest <= network.prefixlen <= longest else _nearest_block(network, shortest, longest)
    if text != str(nearest):
        problem = (
            f"no block of {resource}, which is /{shortest} to /{longest}"
            if network != nearest
            else "an address in a block"
        )
        raise ValueError(f"{quoted(text)} is {problem}; {nearest} is nearest")
    return text


def _nearest_block(network: IPv4Network, shortest: int, longest: int) -> IPv4Network:
    """Return the block at the same address whose prefix length is the nearest one within the bounds."""
    return IPv4Network((network.network_address, min(max(network.prefixlen, shortest), longest)), strict=False)


def _check_vpc_block(text: str) -> str:
    """Return the CIDR block of a VPC; raise ValueError if AWS accepts no VPC there."""
    block = IPv4Network(_check_block(text, _VPC_PREFIXES, "a VPC"))
    if reserved_block := next((reserved for reserved in _RESERVED_BLOCKS if reserved.overlaps(block)), None):
        raise ValueError(f"{quoted(text)} lies in {reserved_block}, where AWS takes no VPC; 10.0.0.0/16 is free to all")
    return text


def _check_subnet_block(text: str) -> str:
    """Return the CIDR block of a subnet; raise ValueError if AWS accepts no such subnet."""
    return _check_block(text, _SUBNET_PREFIXES, "a subnet")


SubnetBlock = Annotated[str, AfterValidator(_check_subnet_block)]


class Network(Section):
    """The settings of the VPC."""

    cidr: Annotated[str, AfterValidator(_check_vpc_block)] = Field("10.0.0.0/16", description="the VPC's block")
    zones: int = Field(
        3,
        ge=_MIN_ZONES,
        le=MAX_ZONES,
        description="availability zones, each with a public and a private subnet",
        json_schema_extra=unit("zones"),
    )
    public_cidrs: tuple[SubnetBlock, ...] = Field(
        (), description="the public subnets' blocks, one a zone; by itself, from the VPC's"
    )
    private_cidrs: tuple[SubnetBlock, ...] = Field(
        (), description="the private subnets' blocks, one a zone; by itself, from the VPC's"
    )
    nat: Literal["one", "per_zone", "none"] = Field(
        "one", description="NAT gateways; with none, interface endpoints and an image in this region's ECR"
    )

    flow_logs: bool = Field(False, description="a log of the traffic that passes the VPC's interfaces")
    bare_default_group: bool = Field(False, description="the VPC's default security group without its rules")

    @model_validator(mode="after")
    def _check_subnets(self) -> Network:
        """Raise Incompatible if the subnets do not match the zones, leave the VPC's block, or overlap."""
        for name in ("public_cidrs", "private_cidrs"):
            if (count := len(getattr(self, name))) not in (0, self.zones):
                problem = f"{name} names {count} blocks for {self.zones} zones; name {self.zones}, or none"
                zones_hint = f", or set `network.zones` to {count}" if _MIN_ZONES <= count <= MAX_ZONES else ""
                raise Incompatible(problem, f"Name {self.zones} blocks in `network.{name}`, or none{zones_hint}.")
        vpc_block = IPv4Network(self.cidr)
        blocks = [IPv4Network(block) for subnets in self.blocks() for block in subnets]
        for index, block in enumerate(blocks):
            if not block.subnet_of(vpc_block):
                raise Incompatible(f"the subnet {block} does not lie in the VPC's {vpc_block}", _OUTSIDE_REMEDY)
            if other := next((earlier for earlier in blocks[:index] if earlier.overlaps(block)), None):
                raise Incompatible(f"the subnets {other} and {block} overlap", _OVERLAP_REMEDY)
        return self

    def blocks(self) -> tuple[list[str], list[str]]:
        """Return the CIDR blocks of the public subnets and those of the private subnets, one for each zone.

        A block that the settings do not give is cut from the VPC's block, which is divided into blocks of
        /24, or of a 16th of the VPC if that is smaller. Public subnets get blocks 0, 1, ..., private subnets
        10, 11, ...
        """
        vpc_block = IPv4Network(self.cidr)
        default_blocks = [str(block) for block in vpc_block.subnets(new_prefix=max(24, vpc_block.prefixlen + 4))]
        public = [*self.public_cidrs, *default_blocks[len(self.public_cidrs) :]]
        private = [*self.private_cidrs, *default_blocks[_FIRST_PRIVATE + len(self.private_cidrs) :]]
        return public[: self.zones], private[: self.zones]
