"""The web application firewall before CloudFront."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from provisioner.settings.section import Section, unit

Act = Literal["off", "count", "block"]


class Waf(Section):
    """AWS WAF before CloudFront: its web ACL lives in us-east-1, whatever the stack's region."""

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
