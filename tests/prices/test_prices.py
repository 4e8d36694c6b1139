"""What a stack costs and how long a plan takes; the arithmetic without AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.engine.calls.clients import Client
from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.estimates.time_estimate import TimeEstimate, Wait, estimate_apply, estimate_teardown
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.teardown_plan import plan_teardown
from provisioner.engine.types.charges import PricedResources
from provisioner.prices.estimate import (
    Cost,
    CostEstimate,
    estimate_cost,
    monthly_bill,
    resources_after,
    with_actual_values,
)
from provisioner.prices.price_list import fetch_prices
from provisioner.prices.table import FALLBACK, load_prices, save_prices
from provisioner.resources import RESOURCE_TYPES
from provisioner.service_clients import PriceList
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from provisioner.terminal.estimate import format_duration
from state.stack_state import StackLocation, StackState
from tests.support.user import User

NOWHERE = Path("none.json")
MONTH = 730


def declared(**sections: Any) -> Plan:
    """A plan that makes a whole new stack of these settings."""
    settings = Settings.model_validate({"profile": "seed", **sections})
    lookups = offline_lookups(settings.network.zones, settings.database.version)
    stack = build(settings, "a", "us-east-1", lookups)
    changes = {
        resource.logical_id: Change("create", resource.logical_id, str(resource.type), "", resource.step)
        for resource in stack
    }
    return Plan(stack, StackState("a", StackLocation("1", "aws", "us-east-1")), changes)


def cost(plan: Plan, what: str, region: str = "us-east-1") -> Cost:
    """One charge of a stack that stands as it is declared."""
    return monthly_bill(resources_after(plan, PricedResources()), load_prices(region, NOWHERE))[what]


def test_each_charge_follows_what_is_declared() -> None:
    plan = declared(network={"nat": "per_zone"}, database={"min_acu": 1, "max_acu": 4})

    assert cost(plan, "NAT gateway").most == pytest.approx(3 * MONTH * 0.045)
    assert cost(plan, "public addresses").least == pytest.approx((3 + 3) * MONTH * 0.005)
    assert cost(plan, "Aurora capacity").least == pytest.approx(MONTH * 0.12)
    assert cost(plan, "Aurora capacity").most == pytest.approx(4 * MONTH * 0.12)
    assert cost(plan, "secrets").least == pytest.approx(0.40)


def test_tasks_beyond_the_base_are_paid_by_their_weights() -> None:
    service = {"minimum": 2, "maximum": 10, "fargate_base": 2, "spot_weight": 70, "fargate_weight": 30}
    task = MONTH * (0.04048 + 2 * 0.004445)

    told = cost(declared(service=service), "Fargate tasks")

    assert told.least == pytest.approx(2 * task)
    assert told.most == pytest.approx((2 + 8 * (0.3 + 0.7 * 0.3)) * task)


def test_another_architecture_has_a_price_of_its_own() -> None:
    told = cost(declared(container={"architecture": "ARM64"}), "Fargate tasks")

    assert told.least == pytest.approx(2 * MONTH * (0.03238 + 2 * 0.00356))


def test_a_price_that_the_table_lacks_is_another_regions_and_named() -> None:
    known = load_prices("ap-northeast-1", NOWHERE)

    assert known.price("fargate_cpu_hour") == 0.05056
    assert known.price("acu_hour") == load_prices(FALLBACK, NOWHERE).price("acu_hour")
    assert known.borrowed == {"acu_hour"}


def test_prices_that_were_asked_for_come_first(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "asked.json"
    save_prices(path, "eu-west-1", "2027-01-01", {"nat_hour": 1.0})
    save_prices(path, "eu-west-2", "2027-01-02", {"nat_hour": 2.0})

    known = load_prices("eu-west-1", path)

    assert (known.as_of, known.price("nat_hour"), known.price("acu_hour")) == ("2027-01-01", 1.0, 0.14)
    path.write_text("damaged")
    assert load_prices("eu-west-1", path).price("nat_hour") == 0.048


def test_what_stands_is_priced_as_it_is() -> None:
    differing = (Difference("Scaling.Min", 4, 1), Difference("Scheme", "internal", "internet-facing"))
    change = Change("update", "x", "Thing", "", "", differences=differing)

    now = with_actual_values({"Scheme": "internet-facing", "Scaling": {"Min": 1, "Max": 8}}, change)

    assert now == {"Scheme": "internal", "Scaling": {"Min": 4, "Max": 8}}


def test_every_type_says_what_it_costs_be_it_nothing() -> None:
    assert [name for name, resource_type in RESOURCE_TYPES.items() if resource_type.pricing is None] == []


def test_a_type_without_pricing_is_named() -> None:
    plan = declared()
    vpc = replace(plan.stack.resources["vpc"], type=Unpriced())
    plan.stack.resources["vpc"] = vpc

    assert estimate_cost(plan, RESOURCE_TYPES, load_prices("us-east-1", NOWHERE)).unpriced == ("Unpriced",)


class Unpriced(type(RESOURCE_TYPES["Vpc"])):  # type: ignore[misc]
    """A resource type of which nobody has said what it costs."""

    pricing = None


class Listed:
    """A price list of two products, of which one is another thing of much the same name."""

    def client(self, service: type[Client], region: str) -> Listed:
        assert (service, region) == (PriceList, "us-east-1")
        return self

    def get_products(self, **asked: Any) -> dict[str, Any]:
        usages = ["TS-NatGateway-Hours", "EUC1-NatGateway-Hours"] if asked["ServiceCode"] == "AmazonEC2" else []
        return {"PriceList": [json.dumps(self._product(usage)) for usage in usages]}

    def _product(self, usage: str) -> dict[str, Any]:
        price = {"pricePerUnit": {"USD": "0.052" if "TS" not in usage else "9"}}
        terms = {"OnDemand": {"t": {"priceDimensions": {"d": price}}}}
        return {"product": {"attributes": {"usagetype": usage}}, "terms": terms}


def test_the_price_list_is_read_by_usage_type() -> None:
    assert fetch_prices(Listed(), "eu-central-1") == {"nat_hour": 0.052}  # type: ignore[arg-type]


def test_a_new_stack_takes_as_long_as_its_longest_chain() -> None:
    told = estimate_apply(declared(), RESOURCE_TYPES, DurationHistory())

    assert [wait.logical_id for wait in told.critical_path] == ["writer"]
    with_own_image = declared(image="1.dkr.ecr.us-east-1.amazonaws.com/api:1")
    told = estimate_apply(with_own_image, RESOURCE_TYPES, DurationHistory())
    assert told == TimeEstimate(480, (Wait("writer", 420), Wait("service", 60)), is_measured=False)


def test_what_is_kept_takes_no_time() -> None:
    plan = declared()
    plan.changes = {name: Change("keep", name, "", "", "") for name in plan.changes}

    assert estimate_apply(plan, RESOURCE_TYPES, DurationHistory()).seconds == 0


def test_an_end_takes_as_long_as_its_longest_chain() -> None:
    plan = declared()
    plan.changes = {
        name: Change("keep", name, str(resource.type), "", resource.step)
        for name, resource in plan.stack.resources.items()
    }
    teardown = plan_teardown(plan, list(plan.stack.resources), RESOURCE_TYPES)

    told = estimate_teardown(teardown, "us-east-1", RESOURCE_TYPES, DurationHistory())

    # The service goes first; then the cluster, whose end begins with its writer's: the two do not add up.
    assert (
        told.seconds
        == RESOURCE_TYPES["Service"].typical_delete_seconds + RESOURCE_TYPES["DBCluster"].typical_delete_seconds
    )


def test_a_duration_is_said_in_minutes() -> None:
    assert [format_duration(one) for one in (0.2, 42, 125)] == ["a moment", "42 s", "2 min 05 s"]


def test_an_estimate_sums_both_bills() -> None:
    told = CostEstimate({"a": Cost(1, 2)}, {"a": Cost(1, 2), "b": Cost(3, 3)}, "r", "d", (), ())

    assert told.totals == (Cost(1, 2), Cost(4, 5))


def test_a_plan_tells_cost_and_time(user: User) -> None:
    told = user.well("plan", "--suffix", "a", "--json").lines[0]
    ran = user.well("plan", "--suffix", "a", "--refresh-prices")

    assert told["cost"]["before"] == {"least": 0.0, "most": 0.0}
    assert told["cost"]["after"]["least"] == pytest.approx(180.16, abs=1)
    (other,) = told["cost"]["profiles"]
    assert other == "production"
    assert told["cost"]["profiles"][other]["least"] > told["cost"]["after"]["least"] + 5
    assert told["time"]["measured"] is False
    assert "Cost: 0.00 -> 180" in ran.out
    assert "With profile=production: " in ran.out
    assert "Not counted, as it depends on use: " in ran.out
    assert "no price list" in ran.err
