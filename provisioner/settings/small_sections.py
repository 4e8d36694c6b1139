"""The small sections of the settings: CloudFront, encryption, logs, roles, the sessions table, the firewall."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from provisioner.settings.section import NUMBER_OR_TEXT, Section, unit


class Edge(Section):
    """The settings of CloudFront."""

    error_pages: bool = Field(True, description="pages of our own for 403 and 404")
    guard: Literal["off", "send", "require"] = Field(
        "off", description="the load balancer answers CloudFront alone: it sends a key, the balancer requires it"
    )
    security_headers: bool = Field(
        False, description="HSTS and the usual security headers on every response that does not have them itself"
    )
    vpc_origin: bool = Field(
        False, description="the load balancer has no address on the internet; CloudFront alone has a way to it"
    )
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        "PriceClass_100", description="which edge locations serve"
    )


class Encryption(Section):
    """The settings of the KMS keys; data at rest is always encrypted, with whichever keys."""

    key: Literal["aws", "own"] = Field(
        "aws", description="whose key data at rest is under: AWS's, or one of the stack's own"
    )
    database: bool = Field(
        True, description="the stack's own key encrypts the database too; an existing database keeps its key"
    )


# botocore logs PutRetentionPolicy
_LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]

LogDays = Annotated[_LogDays, NUMBER_OR_TEXT]


class Logs(Section):
    """The settings of the log groups and access logs."""

    requests: bool = Field(
        False, description="a record of each request to CloudFront and the load balancer, in a bucket"
    )
    days: LogDays = Field(30, description="how long logs are kept", json_schema_extra=unit("days"))


_Arn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$")]


class Roles(Section):
    """The settings of the IAM roles."""

    bound_trust: bool = Field(False, description="only tasks of this account and region take the roles of tasks")
    boundary: Literal["off", "own"] | _Arn = Field(
        "off",
        examples=["arn:aws:iam::111122223333:policy/ml-api-boundary"],
        description="the permissions boundary of every role: none, one of the stack's own, or a policy's ARN",
    )


class Table(Section):
    """The settings of the DynamoDB table of the sessions."""

    billing: Literal["on_demand", "provisioned"] = Field("on_demand", description="how capacity is bought")
    # The quota of DynamoDB for one table, the same for reads and writes.
    read_units: int = Field(
        5, ge=1, le=40000, description="capacity when provisioned", json_schema_extra=unit("reads a second")
    )
    write_units: int = Field(
        5, ge=1, le=40000, description="capacity when provisioned", json_schema_extra=unit("writes a second")
    )
    ttl_attribute: str = Field(
        "ttl", pattern=r"^[^\x00-\x1f\x7f]{0,255}$", description="says when an item expires; empty: none does"
    )
    point_in_time_recovery: bool = Field(True, description="every second of 35 days can be restored")
    deletion_protection: bool = Field(False, description="AWS refuses to delete the table")


RuleAction = Literal["off", "count", "block"]


class Waf(Section):
    """The settings of AWS WAF in front of CloudFront; its web ACL is always in us-east-1."""

    enabled: bool = Field(False, description="a web ACL before CloudFront")
    common: RuleAction = Field("block", description="AWS's common rule set")
    body_size: Literal["count", "block"] = Field(
        "count", description="what the common rule does to bodies over 8 KB: an ML request may be longer"
    )
    bad_inputs: RuleAction = Field("block", description="AWS's known bad inputs")
    reputation: RuleAction = Field("block", description="AWS's list of addresses of ill repute")
    rate: RuleAction = Field("block", description="addresses above the limit")
    # botocore wafv2 RateBasedStatement, Limit
    rate_limit: int = Field(
        2000,
        ge=10,
        le=2_000_000_000,
        description="the limit per address",
        json_schema_extra=unit("requests in 5 minutes"),
    )
    logs: bool = Field(True, description="a log of what the rules matched")
