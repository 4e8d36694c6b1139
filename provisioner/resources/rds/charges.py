"""What a serverless database cluster costs: capacity, extended support, the secret of its password."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from provisioner.engine.types.charges import HOURS_PER_MONTH, Doc, MonthlyCharge, PricedResources
from provisioner.settings.postgres import (
    EXTENDED_SUPPORT_CHARGE,
    NO_EXTENDED_SUPPORT,
    STANDARD_SUPPORT_ENDS,
    major_of,
)


def cluster_charges(props: Doc, _resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of the secret in which RDS keeps a cluster's password."""
    if props.get("ManageMasterUserPassword"):
        yield MonthlyCharge.flat("secrets", "secret_month", 1)


def instance_charges(props: Doc, resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a serverless database instance: ACUs, and their extended support."""
    if props.get("DBInstanceClass") == "db.serverless":
        cluster = resources.properties_of(props.get("DBClusterIdentifier"))
        scaling = cluster.get("ServerlessV2ScalingConfiguration") or {}
        least, most = scaling.get("MinCapacity") or 0, scaling.get("MaxCapacity") or 0
        yield MonthlyCharge("Aurora capacity", "acu_hour", HOURS_PER_MONTH * least, HOURS_PER_MONTH * most)
        if price := _extended_support_price(cluster, resources.today):
            yield MonthlyCharge(EXTENDED_SUPPORT_CHARGE, price, HOURS_PER_MONTH * least, HOURS_PER_MONTH * most)


def _extended_support_price(cluster: Doc, today: date) -> str:
    """Return the key of the price of a cluster's extended support; "" if it has standard support.

    Each ACU pays for it from the day after the end of standard support on, and twice as much from the third
    year on (Aurora user guide, "Amazon RDS Extended Support charges"; aws.amazon.com/rds/aurora/pricing).
    """
    end = STANDARD_SUPPORT_ENDS.get(major_of(str(cluster.get("EngineVersion"))))
    if end is None or today <= end or cluster.get("EngineLifecycleSupport") == NO_EXTENDED_SUPPORT:
        return ""
    return "acu_support_year_3_hour" if today >= date(end.year + 2, 3, 1) else "acu_support_hour"
