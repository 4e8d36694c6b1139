"""Output of the cost and the time of a plan, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioner.engine.estimates.time_estimate import TimeEstimate
from provisioner.preflight.finding import Finding
from provisioner.prices.estimate import Bill, Cost, CostEstimate, UpcomingCharge
from provisioner.terminal.console import Console
from state.serialization import as_json

_SECONDS_PER_MINUTE = 60
_MAX_NAMED_WAITS = 4


@dataclass(frozen=True)
class OtherProfile:
    """The other profile, and the cost of the same stack in it."""

    profile: str
    cost: Cost


@dataclass(frozen=True)
class PlanEstimate:
    """The cost and the time of a plan, and the problems that the preflight checks found."""

    cost: CostEstimate
    time: TimeEstimate
    findings: tuple[Finding, ...] = ()
    other_profile: OtherProfile | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the estimate for the JSON output: US dollars a month, and seconds."""
        other = self.other_profile
        return {
            "cost": {
                **_cost_estimate_json(self.cost),
                "profiles": {other.profile: _cost_json(other.cost)} if other else {},
            },
            "time": {
                "seconds": round(self.time.seconds, 1),
                "measured": self.time.is_measured,
                "longest_chain": [as_json(wait) for wait in self.time.critical_path],
            },
            "findings": [as_json(finding) for finding in self.findings],
        }


def _cost_estimate_json(cost: CostEstimate) -> dict[str, Any]:
    """Return the cost before and after a plan for the JSON output, as a whole and by charge."""
    before, after = cost.totals
    return {
        "currency": "USD",
        "per": "month",
        "before": _cost_json(before),
        "after": _cost_json(after),
        "lines": {
            charge: {
                "before": _cost_json(cost.before.get(charge, Cost())),
                "after": _cost_json(cost.after.get(charge, Cost())),
            }
            for charge in cost.before | cost.after
        },
        "region": cost.region,
        "prices_as_of": cost.as_of,
        "prices_of_another_region": list(cost.borrowed),
        "not_counted": list(cost.by_use),
        "not_priced": list(cost.unpriced),
        "later": [_upcoming_charge_json(upcoming) for upcoming in cost.later],
    }


def _upcoming_charge_json(upcoming: UpcomingCharge) -> dict[str, Any]:
    """Return a charge that begins later for the JSON output."""
    since = {"since": upcoming.since.isoformat(), "reckoned": upcoming.is_estimated, "what": upcoming.name}
    return since | _cost_json(upcoming.cost)


def show_estimate(console: Console, estimate: PlanEstimate) -> None:
    """Print cost, time and findings of a plan."""
    for line in estimate_lines(estimate):
        console.text(line)
    show_findings(console, estimate)


def show_upcoming_charges(console: Console, estimate: PlanEstimate) -> None:
    """Print the charges that begin soon, and the findings; for a plan without changes."""
    for line in _upcoming_charge_lines(estimate.cost):
        console.text(line)
    show_findings(console, estimate)


def show_findings(console: Console, estimate: PlanEstimate) -> None:
    """Print the problems that the preflight checks found, and what to do about them."""
    for finding in estimate.findings:
        sign = console.paint("!", "red" if finding.is_blocking else "yellow")
        console.text(f"  {sign} {'' if finding.is_blocking else 'warning: '}{finding.address}: {finding.problem}")
        if finding.hint:
            console.text(f"      {finding.hint}")


def estimate_lines(estimate: PlanEstimate) -> list[str]:
    """Return the lines about the cost, the cost in the other profile, and the time."""
    lines = list(_cost_lines(estimate.cost))
    if other := estimate.other_profile:
        lines.append(f"      With profile={other.profile}: {_format_cost(other.cost)}.")
    return [*lines, _time_line(estimate.time)]


def _cost_lines(cost: CostEstimate) -> Iterator[str]:
    """Yield the lines about the cost: the sums, the changed charges, and which prices are used or missing."""
    before, after = cost.totals
    maximum = f", up to {after.most:.2f} with every task and all capacity" if after.most > after.least else ""
    yield f"Cost: {before.least:.2f} -> {after.least:.2f} USD a month at the least{maximum}."
    for charge, old, new in _changed_charges(cost.before, cost.after):
        yield f"      {charge}: {_format_cost(old)} -> {_format_cost(new)}"
    yield from _upcoming_charge_lines(cost)
    yield f"      List prices of {cost.region} as of {cost.as_of}, 730 hours{_borrowed_prices_clause(cost)}."
    if cost.by_use:
        yield f"      Not counted, as it depends on use: {', '.join(cost.by_use)}."
    if cost.unpriced:
        yield f"      No price is known for {', '.join(cost.unpriced)}."


def _upcoming_charge_lines(cost: CostEstimate) -> Iterator[str]:
    """Yield a line for each charge that begins soon."""
    for upcoming in cost.later:
        day = f"{upcoming.since} (estimated)" if upcoming.is_estimated else str(upcoming.since)
        yield f"      From {day} on, {_format_cost(upcoming.cost)} USD a month more for {upcoming.name}."


def _changed_charges(before: Bill, after: Bill) -> Iterator[tuple[str, Cost, Cost]]:
    """Yield the charges whose cost changes, with the cost before and after."""
    for charge in before | after:
        old, new = before.get(charge, Cost()), after.get(charge, Cost())
        if old != new:
            yield charge, old, new


def _format_cost(cost: Cost) -> str:
    """Return a cost as text: the least, and the greatest if it differs."""
    return f"{cost.least:.2f}" + (f" (up to {cost.most:.2f})" if cost.most > cost.least else "")


def _borrowed_prices_clause(cost: CostEstimate) -> str:
    """Return the end of the sentence about prices: those that are taken from another region, if any."""
    names = ", ".join(key.rsplit("_", 1)[0].replace("_", " ") for key in cost.borrowed)
    return f"; those of us-east-1 for {names}, which are not in the table" if names else ""


def _time_line(time: TimeEstimate) -> str:
    """Return the line about the time, which names the longest waits on the critical path."""
    longest = sorted(time.critical_path, key=lambda wait: -wait.seconds)[:_MAX_NAMED_WAITS]
    named_waits = [wait for wait in time.critical_path if wait in longest and wait.seconds >= 1]
    waits = ", then ".join(f"{wait.logical_id} {format_duration(wait.seconds)}" for wait in named_waits)
    source = "as measured in earlier runs" if time.is_measured else "as is usual"
    about = "about " if time.seconds >= 1 else ""  # "a moment" needs no "about"
    return f"Time: {about}{format_duration(time.seconds)}{f', {source}: {waits}' if waits else ''}."


def format_duration(seconds: float) -> str:
    """Return a number of seconds in words."""
    if seconds < _SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 else "a moment"
    return f"{seconds // _SECONDS_PER_MINUTE:.0f} min {seconds % _SECONDS_PER_MINUTE:02.0f} s"


def format_elapsed(seconds: float) -> str:
    """Return how long something took, such as `7 m 12 s`, or `0.4 s` below a minute."""
    if seconds < _SECONDS_PER_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} m {rest:02} s" if hours else f"{minutes} m {rest:02} s"


def _cost_json(cost: Cost) -> dict[str, float]:
    """Return a cost for the JSON output."""
    return {"least": round(cost.least, 2), "most": round(cost.most, 2)}
