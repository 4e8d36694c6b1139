"""Reads of CloudFront: its distribution, and its way to the origin."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import JsonObject, ReadResult
from provisioner.resources.origin_key import redact_origins

# The calls of this module by service; `policy` grants them.
CALLS = {"cloudfront": ("ListDistributions", "GetDistribution", "GetVpcOrigin")}


@dataclass(frozen=True)
class OriginPath:
    """CloudFront's way to the origin: the port, and for a VPC origin its id, target ARN and status."""

    port: int
    id: str = ""
    arn: str = ""
    status: str = ""


def distribution(context: DoctorContext) -> ReadResult:
    """Return the distribution with our comment, with keys as hashes (ListDistributions, GetDistribution)."""
    name = context.aws_name("edge")
    cloudfront = context.clients.client("cloudfront")
    listed = cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []
    id_ = next((one["Id"] for one in listed if one["Comment"] == name), "")
    doc: JsonObject | None = None
    if id_:
        told = cloudfront.get_distribution(Id=id_)["Distribution"]
        config = told["DistributionConfig"]
        doc = {**told, **config, "Origins": redact_origins(config["Origins"], context.suffix)}
        del doc["DistributionConfig"]
    return ReadResult(f"distribution {name}", doc)


def origin_path(context: DoctorContext) -> OriginPath:
    """Return how CloudFront reaches its origin; GetVpcOrigin is called if that is inside the VPC."""
    [origin, *_] = distribution(context).found["Origins"]["Items"]
    if "CustomOriginConfig" in origin:
        return OriginPath(_port(origin["CustomOriginConfig"]))
    id_ = origin["VpcOriginConfig"]["VpcOriginId"]
    told = context.clients.client("cloudfront").get_vpc_origin(Id=id_)["VpcOrigin"]
    config = told["VpcOriginEndpointConfig"]
    return OriginPath(_port(config), id_, config["Arn"], told["Status"])


def _port(config: JsonObject) -> int:
    """Return the port of an origin: its HTTP port if CloudFront uses only HTTP, else its HTTPS port."""
    plain = config["OriginProtocolPolicy"] == "http-only"
    return int(config["HTTPPort"] if plain else config["HTTPSPort"])
