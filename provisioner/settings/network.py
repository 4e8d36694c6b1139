"""The VPC: its block, its zones, its way out."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from provisioner.settings.section import Section, unit

# AWS takes a VPC of /16 to /28; a load balancer's subnet takes /27 at least, and 16 of them fit in a /23.
_WIDEST, _NARROWEST = 16, 23
_FIRST_PRIVATE = 10
MOST_ZONES = 6


def _network(text: str) -> str:
    network = IPv4Network(text)
    if not _WIDEST <= network.prefixlen <= _NARROWEST:
        raise ValueError(f"the VPC takes a block from /{_WIDEST} to /{_NARROWEST}")
    return str(network)


class Network(Section):
    """The VPC."""

    cidr: Annotated[str, AfterValidator(_network)] = Field("10.0.0.0/16", description="the VPC's block")
    zones: int = Field(
        3,
        ge=2,
        le=MOST_ZONES,
        description="availability zones, each with a public and a private subnet",
        json_schema_extra=unit("zones"),
    )
    nat: Literal["one", "per_zone"] = Field("one", description="NAT gateways: one, or one per zone")

    flow_logs: bool = Field(False, description="a log of the traffic that passes the VPC's interfaces")
    bare_default_group: bool = Field(False, description="the VPC's default security group without its rules")

    def blocks(self) -> tuple[list[str], list[str]]:
        """The blocks of the public and of the private subnets: numbers 0.. and 10.. of /24, or of a 16th."""
        whole = IPv4Network(self.cidr)
        blocks = [str(block) for block in whole.subnets(new_prefix=max(24, whole.prefixlen + 4))]
        return blocks[: self.zones], blocks[_FIRST_PRIVATE : _FIRST_PRIVATE + self.zones]
