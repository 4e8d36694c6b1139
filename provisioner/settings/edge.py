"""The settings of CloudFront."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from provisioner.settings.section import Section


class Edge(Section):
    """The settings of CloudFront."""

    error_pages: bool = Field(True, description="pages of our own for 403 and 404")
    guard: Literal["off", "send", "require"] = Field(
        "off",
        description="the load balancer answers CloudFront alone: it sends a key, the balancer requires it",
    )
    security_headers: bool = Field(
        False,
        description="HSTS and the usual security headers on every answer that does not bear them itself",
    )
    vpc_origin: bool = Field(
        False,
        description="the load balancer has no address on the internet; CloudFront alone has a way to it",
    )
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        "PriceClass_100", description="which edge locations serve"
    )
