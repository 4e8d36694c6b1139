"""The settings of the web application firewall in front of CloudFront."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from provisioner.settings.section import Section, unit

Act = Literal["off", "count", "block"]


class Waf(Section):
    """The settings of AWS WAF in front of CloudFront; its web ACL is always in us-east-1."""

    enabled: bool = Field(False, description="a web ACL before CloudFront")
    common: Act = Field("block", description="AWS's common rule set")
    body_size: Literal["count", "block"] = Field(
        "count", description="what the common rule does to bodies over 8 KB: an ML request may be longer"
    )
    bad_inputs: Act = Field("block", description="AWS's known bad inputs")
    reputation: Act = Field("block", description="AWS's list of addresses of ill repute")
    rate: Act = Field("block", description="addresses above the limit")
    # botocore wafv2 RateBasedStatement, Limit
    rate_limit: int = Field(
        2000,
        ge=10,
        le=2_000_000_000,
        description="the limit per address",
        json_schema_extra=unit("requests in 5 minutes"),
    )
    logs: bool = Field(True, description="a log of what the rules matched")
