"""Reads of CloudFront: its distribution, and its way to the origin."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.doctor.check import ReadResult
from provisioner.doctor.context import DoctorContext
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.origin_key import redact_origins
from provisioner.service_clients import CloudFront

# The calls of this module by service; `policy` grants them.
CALLS = {"cloudfront": ("ListDistributions", "GetDistribution", "GetVpcOrigin")}


@dataclass(frozen=True)
class OriginPath:
    """CloudFront's way to the origin: the port, and for a VPC origin its id, target ARN and status."""

    port: int
    vpc_origin_id: str = ""
    target_arn: str = ""
    status: str = ""


def read_distribution(context: DoctorContext) -> ReadResult:
    """Return the distribution with our comment, with keys as hashes (ListDistributions, GetDistribution)."""
    name = context.aws_name("edge")
    cloudfront = context.clients.client(CloudFront)
    summaries = cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []
    distribution_id = next((summary["Id"] for summary in summaries if summary["Comment"] == name), "")
    if not distribution_id:
        return ReadResult(f"distribution {name}", None)
    response = cloudfront.get_distribution(Id=distribution_id)["Distribution"]
    config = response["DistributionConfig"]
    distribution = {**response, **config, "Origins": redact_origins(config["Origins"], context.suffix)}
    del distribution["DistributionConfig"]
    return ReadResult(f"distribution {name}", distribution)


def read_origin_path(context: DoctorContext) -> OriginPath:
    """Return how CloudFront reaches its origin; GetVpcOrigin is called if that is inside the VPC."""
    [origin, *_] = read_distribution(context).found["Origins"]["Items"]
    if "CustomOriginConfig" in origin:
        return OriginPath(_origin_port(origin["CustomOriginConfig"]))
    vpc_origin_id = origin["VpcOriginConfig"]["VpcOriginId"]
    vpc_origin = context.clients.client(CloudFront).get_vpc_origin(Id=vpc_origin_id)["VpcOrigin"]
    config = vpc_origin["VpcOriginEndpointConfig"]
    return OriginPath(_origin_port(config), vpc_origin_id, config["Arn"], vpc_origin["Status"])


def _origin_port(config: JsonObject) -> int:
    """Return the port of an origin: its HTTP port if CloudFront uses only HTTP, else its HTTPS port."""
    is_http_only = config["OriginProtocolPolicy"] == "http-only"
    return int(config["HTTPPort"] if is_http_only else config["HTTPSPort"])
