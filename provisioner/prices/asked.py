"""The prices of one region, asked of the AWS Price List API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.clients import Clients


@dataclass(frozen=True)
class Product:
    """Where one price stands in the list: the service, the end of its usage type, and what else must fit."""

    service: str
    usage: str
    family: str = ""
    also: tuple[tuple[str, str], ...] = ()


# Usage types as they stand on bills, after the region's prefix: `EUC1-NatGateway-Hours`.
PRODUCTS: Mapping[str, Product] = {
    "fargate_cpu_hour": Product("AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    "fargate_gb_hour": Product("AmazonECS", "Fargate-GB-Hours"),
    "fargate_arm_cpu_hour": Product("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    "fargate_arm_gb_hour": Product("AmazonECS", "Fargate-ARM-GB-Hours"),
    "nat_hour": Product("AmazonEC2", "NatGateway-Hours", "NAT Gateway"),
    "balancer_hour": Product("AWSELB", "LoadBalancerUsage", "Load Balancer-Application"),
    "acu_hour": Product(
        "AmazonRDS", "Aurora:ServerlessV2Usage", "ServerlessV2", (("databaseEngine", "Aurora PostgreSQL"),)
    ),
    # The same for all major versions; the list names each.
    "acu_support_hour": Product(
        "AmazonRDS",
        "ExtendedSupport:Yr1-Yr2:ASv2:AuroraPostgreSQL14",
        also=(("databaseEngine", "Aurora PostgreSQL"), ("extendedSupportPricingYear", "Year 1, Year 2")),
    ),
    "acu_support_year_3_hour": Product(
        "AmazonRDS",
        "ExtendedSupport:Yr3:ASv2:AuroraPostgreSQL14",
        also=(("databaseEngine", "Aurora PostgreSQL"), ("extendedSupportPricingYear", "Year 3")),
    ),
    "ipv4_hour": Product("AmazonVPC", "PublicIPv4:InUseAddress"),
    "secret_month": Product("AWSSecretsManager", "AWSSecretsManager-Secrets"),
}
# What is asked here, by service: `policy` grants it.
CALLS = {"pricing": ("GetProducts",)}
# The Price List API answers in few regions (AWS Billing user guide, using-price-list-query-api).
PLACE = "us-east-1"


def ask(clients: Clients, region: str) -> dict[str, float]:
    """Each price that the list has for the region; raises what the first refused call raised."""
    pricing = clients.client("pricing", PLACE)
    found: dict[str, float] = {}
    for key, product in PRODUCTS.items():
        filters = {"regionCode": region, **dict(product.also)}
        if product.family:
            filters["productFamily"] = product.family
        asked = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in filters.items()]
        listed = pricing.get_products(ServiceCode=product.service, Filters=asked)["PriceList"]
        price = _price(map(_parsed, listed), product.usage)
        if price is not None:
            found[key] = price
    return found


def _parsed(entry: Any) -> dict[str, Any]:
    return dict(json.loads(entry) if isinstance(entry, str) else entry)


def _price(products: Iterable[dict[str, Any]], usage: str) -> float | None:
    """The on-demand price of the one product whose usage type is this, with or without a region's prefix."""
    wanted = re.compile(rf"(?:(?:EU|[A-Z]{{2,4}}\d)-)?{re.escape(usage)}")
    for product in products:
        attributes = product["product"]["attributes"]
        if wanted.fullmatch(attributes.get("usagetype", "")):
            for term in product.get("terms", {}).get("OnDemand", {}).values():
                for dimension in term["priceDimensions"].values():
                    return float(dimension["pricePerUnit"]["USD"])
    return None
