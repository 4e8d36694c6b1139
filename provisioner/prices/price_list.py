"""The prices of one region, from the AWS Price List API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.engine.calls.clients import Clients
from provisioner.service_clients import PriceList

if TYPE_CHECKING:
    from types_boto3_pricing.type_defs import FilterTypeDef


@dataclass(frozen=True)
class Product:
    """A product of the price list, by which its price is found.

    Args:
        service: The service code.
        usage_type: The end of its usage type, after the region's prefix.
        family: The product family; "" for any.
        other_attributes: Further attributes that must match, as pairs of name and value.

    """

    service: str
    usage_type: str
    family: str = ""
    other_attributes: tuple[tuple[str, str], ...] = ()


# Usage types as on AWS's bills, after the region's prefix, such as EUC1 in `EUC1-NatGateway-Hours`.
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
    # The price is the same for all major versions; the price list has a product for each.
    "acu_support_hour": Product(
        "AmazonRDS",
        "ExtendedSupport:Yr1-Yr2:ASv2:AuroraPostgreSQL14",
        other_attributes=(("databaseEngine", "Aurora PostgreSQL"), ("extendedSupportPricingYear", "Year 1, Year 2")),
    ),
    "acu_support_year_3_hour": Product(
        "AmazonRDS",
        "ExtendedSupport:Yr3:ASv2:AuroraPostgreSQL14",
        other_attributes=(("databaseEngine", "Aurora PostgreSQL"), ("extendedSupportPricingYear", "Year 3")),
    ),
    "ipv4_hour": Product("AmazonVPC", "PublicIPv4:InUseAddress"),
    "secret_month": Product("AWSSecretsManager", "AWSSecretsManager-Secrets"),
}
# The API calls of this module by service; the policy that `policy` prints allows them.
CALLS = {"pricing": ("GetProducts",)}
# The Price List API has endpoints in a few regions only (AWS Billing user guide, using-price-list-query-api).
PRICING_REGION = "us-east-1"


def fetch_prices(clients: Clients, region: str) -> dict[str, float]:
    """Return the prices that AWS lists for a region, in US dollars by the keys of `PRODUCTS`.

    A price that is not listed is left out. Errors of the calls are raised.
    """
    pricing = clients.client(PriceList, PRICING_REGION)
    prices_by_key: dict[str, float] = {}
    for key, product in PRODUCTS.items():
        filters = {"regionCode": region, **dict(product.other_attributes)}
        if product.family:
            filters["productFamily"] = product.family
        term_filters: list[FilterTypeDef] = [
            {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in filters.items()
        ]
        products = pricing.get_products(ServiceCode=product.service, Filters=term_filters)["PriceList"]
        price = _on_demand_price(map(_parse_product, products), product.usage_type)
        if price is not None:
            prices_by_key[key] = price
    return prices_by_key


def _parse_product(entry: Any) -> dict[str, Any]:
    """Return an entry of the price list, which may be JSON text, as a dictionary."""
    return dict(json.loads(entry) if isinstance(entry, str) else entry)


def _on_demand_price(products: Iterable[dict[str, Any]], usage_type: str) -> float | None:
    """Return the on-demand price of the product with this usage type, which may have a region's prefix."""
    usage_pattern = re.compile(rf"(?:(?:EU|[A-Z]{{2,4}}\d)-)?{re.escape(usage_type)}")
    for product in products:
        attributes = product["product"]["attributes"]
        if usage_pattern.fullmatch(attributes.get("usagetype", "")):
            for term in product.get("terms", {}).get("OnDemand", {}).values():
                for dimension in term["priceDimensions"].values():
                    return float(dimension["pricePerUnit"]["USD"])
    return None
