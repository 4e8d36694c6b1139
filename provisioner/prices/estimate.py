"""The monthly cost of a stack before a plan and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject, Ref
from provisioner.engine.types.charges import PricedResources
from provisioner.engine.types.resource_type import ResourceType
from provisioner.prices.table import Prices
from provisioner.settings.postgres import (
    ESTIMATED_END_OF_SUPPORT,
    EXTENDED_SUPPORT_CHARGE,
    STANDARD_SUPPORT_ENDS,
    is_support_end_near,
    major_of,
)


@dataclass(frozen=True)
class Cost:
    """US dollars a month: `least` with the fewest tasks and capacity, `most` with the greatest."""

    least: float = 0.0
    most: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.least + other.least, self.most + other.most)


Bill = dict[str, Cost]


@dataclass(frozen=True)
class UpcomingCharge:
    """A charge that begins on a later day."""

    since: date
    name: str
    cost: Cost
    # Whether the day is an estimate, not read from AWS's calendar.
    is_estimated: bool = False


@dataclass(frozen=True)
class CostEstimate:
    """The bills before and after a plan, by what is charged, and the prices that they are made with.

    `borrowed` names prices of another region, and `by_use` charges that are not in the bills.
    """

    before: Bill
    after: Bill
    region: str
    as_of: str
    borrowed: tuple[str, ...]
    by_use: tuple[str, ...]
    # Resource types whose charges are not known.
    unpriced: tuple[str, ...] = ()
    # Charges that begin within half a year.
    later: tuple[UpcomingCharge, ...] = ()

    @property
    def totals(self) -> tuple[Cost, Cost]:
        """The sums of the two bills."""
        return sum(self.before.values(), Cost()), sum(self.after.values(), Cost())


def estimate_cost(plan: Plan, types: Mapping[str, ResourceType], prices: Prices) -> CostEstimate:
    """Return the cost of the stack as it is now, and as it will be after a plan; makes no call."""
    resources_now = resources_before(plan.unfiltered or plan, types)
    resources_then = resources_after(plan, resources_now)
    bills = monthly_bill(resources_now, prices), monthly_bill(resources_then, prices)
    all_types = {*resources_now.types.values(), *resources_then.types.values()}
    used = [resource_type.pricing for resource_type in types.values() if resource_type in all_types]
    by_use = tuple(dict.fromkeys(pricing.by_use for pricing in used if pricing and pricing.by_use))
    unpriced = tuple(sorted(str(resource_type) for resource_type in all_types if resource_type.pricing is None))
    upcoming = tuple(upcoming_charges(resources_then, prices))
    borrowed = tuple(sorted(prices.borrowed))
    return CostEstimate(*bills, prices.region, prices.as_of, borrowed, by_use, unpriced, upcoming)


def upcoming_charges(resources: PricedResources, prices: Prices) -> Iterator[UpcomingCharge]:
    """Yield the charge of extended support for each database version whose standard support ends soon.

    It begins on the day after that end.
    """
    majors = {major_of(str(cluster.get("EngineVersion"))) for cluster in resources.of_type("DBCluster")}
    for major in sorted(majors & STANDARD_SUPPORT_ENDS.keys(), key=STANDARD_SUPPORT_ENDS.__getitem__):
        end = STANDARD_SUPPORT_ENDS[major]
        since = end + timedelta(days=1)
        if end >= resources.today and is_support_end_near(end, resources.today):
            cost = monthly_bill(replace(resources, today=since), prices).get(EXTENDED_SUPPORT_CHARGE)
            if cost:
                yield UpcomingCharge(since, EXTENDED_SUPPORT_CHARGE, cost, major in ESTIMATED_END_OF_SUPPORT)


def monthly_bill(resources: PricedResources, prices: Prices) -> Bill:
    """Return the charges of all resources, summed by what is charged."""
    sums: Bill = {}
    for name, resource_type in resources.types.items():
        charges = resource_type.pricing.charges if resource_type.pricing else None
        for charge in charges(resources.props[name], resources) if charges else ():
            price = prices.price(charge.price_key)
            sums[charge.name] = sums.get(charge.name, Cost()) + Cost(price * charge.min_units, price * charge.max_units)
    return sums


def resources_after(plan: Plan, now: PricedResources) -> PricedResources:
    """Return the resources after a plan: declared ones as declared, and unselected ones as they are now."""
    unselected = plan.excluded & now.types.keys()
    types = {name: now.types[name] for name in unselected} | {
        resource.logical_id: resource.type for resource in plan.stack
    }
    props = {name: now.props[name] for name in unselected} | {
        resource.logical_id: resource.props for resource in plan.stack
    }
    return PricedResources(types, props, now.ids)


def resources_before(plan: Plan, types: Mapping[str, ResourceType]) -> PricedResources:
    """Return the existing resources: declared ones with AWS's values, others with those of the state.

    `types` maps the names of types, as the state has them, to the types.
    """
    existing: dict[str, ResourceType] = {}
    props: dict[str, JsonObject] = {}
    for name in plan.actual:
        resource = plan.stack.resources[name]
        existing[name], props[name] = resource.type, with_actual_values(resource.props, plan.changes[name])
    for name, resource_state in plan.state.resources.items():
        if name not in plan.stack.resources and resource_state.id:
            existing[name], props[name] = types[resource_state.type_name], resource_state.desired
    ids = {resource_state.id: name for name, resource_state in plan.state.resources.items() if resource_state.id}
    return PricedResources(existing, props, ids)


def with_actual_values(declared: JsonObject, change: Change) -> JsonObject:
    """Return the declared properties, but with AWS's values where they differ; references stay references."""
    props = deepcopy(declared)
    for difference in change.differences:
        _set_actual_value(props, difference)
    return props


def _set_actual_value(props: JsonObject, difference: Difference) -> None:
    """Set one differing property to AWS's value, unless it is declared as a reference."""
    *path, last = difference.path.split(".")
    parent: Any = props
    for key in path:
        parent = parent.get(key) if isinstance(parent, dict) else None
    if isinstance(parent, dict) and not isinstance(parent.get(last), Ref):
        parent[last] = difference.old
