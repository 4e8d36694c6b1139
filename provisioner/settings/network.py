"""The VPC: its block, its zones, its way out."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from provisioner.settings.section import Section, unit

# AWS takes a VPC of /16 to /28; a load balancer's subnet takes /27 at least, and 16 of them fit in a /23.
_VPC = (16, 23)
# VPC user guide: subnets of /16 to /28; Elastic Load Balancing user guide: /27 for a balancer.
_SUBNET = (16, 27)
_FIRST_PRIVATE = 10
MOST_ZONES = 6


# EC2 takes no VPC in these: "this" network, loopback, link-local and multicast (RFC 6890, RFC 5771). Others
# that are public may be taken (VPC user guide, VPC CIDR blocks).
_SPECIAL = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")))


def _block(text: str, lengths: tuple[int, int], what: str) -> str:
    network = IPv4Network(text, strict=False)
    least, most = lengths
    nearest = network if least <= network.prefixlen <= most else _resized(network, least, most)
    if text != str(nearest):
        why = (
            f"no block of {what}, which is /{least} to /{most}"
            if network != nearest
            else "an address in a block"
        )
        raise ValueError(f"{text} is {why}; {nearest} is nearest")
    return text


def _resized(network: IPv4Network, least: int, most: int) -> IPv4Network:
    return IPv4Network((network.network_address, min(max(network.prefixlen, least), most)), strict=False)


def _of_vpc(text: str) -> str:
    block = IPv4Network(_block(text, _VPC, "a VPC"))
    if special := next((one for one in _SPECIAL if one.overlaps(block)), None):
        raise ValueError(f"{text} lies in {special}, where AWS takes no VPC; 10.0.0.0/16 is free to all")
    return text


def _of_subnet(text: str) -> str:
    return _block(text, _SUBNET, "a subnet")


SubnetBlock = Annotated[str, AfterValidator(_of_subnet)]


class Network(Section):
    """The VPC."""

    cidr: Annotated[str, AfterValidator(_of_vpc)] = Field("10.0.0.0/16", description="the VPC's block")
    zones: int = Field(
        3,
        ge=2,
        le=MOST_ZONES,
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
    def _fits(self) -> Network:
        for name in ("public_cidrs", "private_cidrs"):
            if len(getattr(self, name)) not in (0, self.zones):
                raise ValueError(
                    f"{name} names {len(getattr(self, name))} blocks for {self.zones} zones; name "
                    f"{self.zones}, or none"
                )
        whole = IPv4Network(self.cidr)
        blocks = [IPv4Network(block) for side in self.blocks() for block in side]
        for at, block in enumerate(blocks):
            if not block.subnet_of(whole):
                raise ValueError(f"the subnet {block} does not lie in the VPC's {whole}")
            if other := next((one for one in blocks[:at] if one.overlaps(block)), None):
                raise ValueError(f"the subnets {other} and {block} overlap")
        return self

    def blocks(self) -> tuple[list[str], list[str]]:
        """The blocks of the public and of the private subnets: those named, else cut from the VPC's.

        Cut are numbers 0.. and 10.. of /24, or of a 16th.
        """
        whole = IPv4Network(self.cidr)
        cut = [str(block) for block in whole.subnets(new_prefix=max(24, whole.prefixlen + 4))]
        public = [*self.public_cidrs, *cut[len(self.public_cidrs) :]]
        private = [*self.private_cidrs, *cut[_FIRST_PRIVATE + len(self.private_cidrs) :]]
        return public[: self.zones], private[: self.zones]
