"""The monthly cost of a stack and the duration of a run, as a plan implies them."""

from __future__ import annotations

import time
from pathlib import Path

from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.estimates.time_estimate import TimeEstimate, estimate_apply, estimate_teardown
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.teardown_plan import TeardownPlan
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.types.charges import PricedResources
from provisioner.preflight.checks import run_preflight
from provisioner.preflight.refusals import protected_removals
from provisioner.prices.estimate import (
    Cost,
    CostEstimate,
    estimate_cost,
    monthly_bill,
    resources_after,
    resources_before,
)
from provisioner.prices.price_list import fetch_prices
from provisioner.prices.table import Prices, load_prices, save_prices
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.settings.variants import settings_in_other_profile
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from provisioner.terminal.console import Console
from provisioner.terminal.estimate import OtherProfile, PlanEstimate
from provisioner.workspace import Workspace
from state.stack_state import StackState


def plan_estimate(session: Session, plan: Plan, *, checks: bool = True) -> PlanEstimate:
    """Return the cost and duration of an apply, and what blocks it; a plan that creates needs some reads."""
    costs = estimate_cost(plan, RESOURCE_TYPES, _prices(session))
    is_idle = not plan.changes_to_make
    time_estimate = (
        TimeEstimate(0, (), False) if is_idle else estimate_apply(plan, RESOURCE_TYPES, session.duration_history)
    )
    is_checked = checks and not plan.refused
    findings = (
        run_preflight(plan, session.clients, time_estimate.seconds, session.location.account) if is_checked else []
    )
    protected = protected_removals(plan, session.clients, RESOURCE_TYPES) if is_checked else ()
    return PlanEstimate(
        costs, time_estimate, (*findings, *protected), None if is_idle else _estimate_other_profile(session)
    )


def teardown_estimate(session: Session, plan: Plan, teardown: TeardownPlan) -> PlanEstimate:
    """Return the cost and the duration of a teardown; nothing is paid for after it."""
    known_prices = _prices(session)
    current_bill = monthly_bill(resources_before(plan, RESOURCE_TYPES), known_prices)
    costs = CostEstimate(
        current_bill, {}, known_prices.region, known_prices.as_of, tuple(sorted(known_prices.borrowed)), ()
    )
    return PlanEstimate(
        costs, estimate_teardown(teardown, session.location.region, RESOURCE_TYPES, session.duration_history)
    )


def _estimate_other_profile(session: Session) -> OtherProfile | None:
    """Return what the same stack would cost in the other profile; None if there is no other."""
    other = settings_in_other_profile(session.settings)
    if other is None:
        return None
    lookups = offline_lookups(other.network.zones, other.database.version)
    plan = Plan(build(other, session.suffix, session.location.region, lookups), session.state)
    bills = monthly_bill(resources_after(plan, PricedResources()), _prices(session))
    return OtherProfile(other.profile, sum(bills.values(), Cost()))


def refresh_prices(console: Console, session: Session) -> None:
    """Ask AWS for the region's prices and save them; if a call is refused, say why."""
    region = session.location.region
    if session.aws.local:
        console.note("The local AWS has no price list: the prices stay as they are.")
        return
    try:
        prices = fetch_prices(session.clients, region)
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        console.note(f"The prices stay as they are. {describe_refusal(error, 'asking the AWS Price List API').message}")
        return
    save_prices(
        _fetched_prices_file(session.options.workspace), region, time.strftime("%Y-%m-%d", time.gmtime()), prices
    )
    console.note(f"{len(prices)} prices of {region} are as of today.")


def cost_of(session: Session, plan: Plan) -> CostEstimate:
    """Return what the stack costs now, and after an apply."""
    return estimate_cost(plan, RESOURCE_TYPES, _prices(session))


def cost_from_state(workspace: Workspace, state: StackState) -> CostEstimate:
    """Return what the resources in the state cost now; nothing is known of a plan."""
    region = state.location.region
    empty_plan = Plan(Stack(state.suffix, region), state)
    return estimate_cost(empty_plan, RESOURCE_TYPES, load_prices(region, _fetched_prices_file(workspace)))


def _prices(session: Session) -> Prices:
    """Return the prices of the stack's region."""
    return load_prices(session.location.region, _fetched_prices_file(session.options.workspace))


def _fetched_prices_file(workspace: Workspace) -> Path:
    """Return the file that holds the prices fetched from AWS."""
    return workspace.home / "prices" / "asked.json"
