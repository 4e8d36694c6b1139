"""The monthly cost of a stack before a plan and after it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject, Ref
from provisioner.prices.charges import BY_USE, CHARGES, SUPPORT, PricedResources, is_priced
from provisioner.prices.table import Prices
from provisioner.settings.postgres import ESTIMATED_END_OF_SUPPORT, STANDARD_SUPPORT_ENDS, is_support_end_near, major_of
from state.stack_state import StackState


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
    what: str
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


def estimate(plan: Plan, state: StackState, prices: Prices) -> CostEstimate:
    """Return the cost of the stack as it is now, and as it will be after a plan; makes no call."""
    now = before(plan.unfiltered or plan, state)
    then = after(plan, now)
    bills = bill(now, prices), bill(then, prices)
    type_names = {*now.kinds.values(), *then.kinds.values()}
    by_use = tuple(dict.fromkeys(words for type_name, words in BY_USE.items() if type_name in type_names))
    unpriced = tuple(sorted(type_name for type_name in type_names if not is_priced(type_name)))
    begins = tuple(later(then, prices))
    borrowed = tuple(sorted(prices.borrowed))
    return CostEstimate(*bills, prices.region, prices.as_of, borrowed, by_use, unpriced, begins)


def later(estate: PricedResources, prices: Prices) -> Iterator[UpcomingCharge]:
    """Yield the charge of extended support for each database version whose standard support ends soon.

    It begins on the day after that end.
    """
    versions = {str(one.get("EngineVersion")) for one in estate.of_kind("DBCluster")}
    majors = sorted(
        {major_of(one) for one in versions} & STANDARD_SUPPORT_ENDS.keys(), key=STANDARD_SUPPORT_ENDS.__getitem__
    )
    for major in majors:
        end = STANDARD_SUPPORT_ENDS[major]
        since = end + timedelta(days=1)
        if end >= estate.today and is_support_end_near(end, estate.today):
            cost = bill(replace(estate, today=since), prices).get(SUPPORT)
            if cost:
                yield UpcomingCharge(since, SUPPORT, cost, major in ESTIMATED_END_OF_SUPPORT)


def bill(estate: PricedResources, prices: Prices) -> Bill:
    """Return the charges of all resources, summed by what is charged."""
    sums: Bill = {}
    for name, type_name in estate.kinds.items():
        for line in CHARGES[type_name](estate.props[name], estate) if type_name in CHARGES else ():
            price = prices.of(line.price)
            sums[line.what] = sums.get(line.what, Cost()) + Cost(price * line.least, price * line.most)
    return sums


def after(plan: Plan, now: PricedResources) -> PricedResources:
    """Return the resources after a plan: declared ones as declared, and unselected ones as they are now."""
    aside = plan.excluded & now.kinds.keys()
    type_names = {name: now.kinds[name] for name in aside} | {
        resource.logical_id: str(resource.type) for resource in plan.stack
    }
    props = {name: now.props[name] for name in aside} | {resource.logical_id: resource.props for resource in plan.stack}
    return PricedResources(type_names, props, now.ids)


def before(plan: Plan, state: StackState) -> PricedResources:
    """Return the existing resources: declared ones with AWS's values, others with those of the state."""
    type_names: dict[str, str] = {}
    props: dict[str, JsonObject] = {}
    for name in plan.actual:
        resource = plan.stack.resources[name]
        type_names[name], props[name] = str(resource.type), as_it_is(resource.props, plan.changes[name])
    for name, resource_state in state.resources.items():
        if name not in plan.stack.resources and resource_state.id:
            type_names[name], props[name] = resource_state.type_name, resource_state.desired
    ids = {resource_state.id: name for name, resource_state in state.resources.items() if resource_state.id}
    return PricedResources(type_names, props, ids)


def as_it_is(declared: JsonObject, change: Change) -> JsonObject:
    """Return the declared properties, but with AWS's values where they differ; references stay references."""
    now = deepcopy(declared)
    for one in change.differences:
        _set_back(now, one)
    return now


def _set_back(props: JsonObject, one: Difference) -> None:
    """Set one differing property to AWS's value, unless it is declared as a reference."""
    *path, last = one.path.split(".")
    holder: Any = props
    for step in path:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and not isinstance(holder.get(last), Ref):
        holder[last] = one.old
