"""Output of the cost and the time of a plan, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioner.engine.estimates.time_estimate import TimeEstimate
from provisioner.preflight.findings import Finding
from provisioner.prices.estimate import Bill, Cost, CostEstimate
from provisioner.terminal.console import Console
from state.serialization import as_json

_MINUTE = 60
_MOST_NAMED = 4


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
    otherwise: OtherProfile | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the forecast for the JSON output: US dollars a month, and seconds."""
        before, after = self.cost.totals
        return {
            "cost": {
                "currency": "USD",
                "per": "month",
                "before": _told(before),
                "after": _told(after),
                "lines": {
                    what: {
                        "before": _told(self.cost.before.get(what, Cost())),
                        "after": _told(self.cost.after.get(what, Cost())),
                    }
                    for what in self.cost.before | self.cost.after
                },
                "region": self.cost.region,
                "prices_as_of": self.cost.as_of,
                "prices_of_another_region": list(self.cost.borrowed),
                "not_counted": list(self.cost.by_use),
                "not_priced": list(self.cost.unpriced),
                "later": [
                    {
                        "since": one.since.isoformat(),
                        "reckoned": one.is_estimated,
                        "what": one.what,
                        **_told(one.cost),
                    }
                    for one in self.cost.later
                ],
                "profiles": {one.profile: _told(one.cost)} if (one := self.otherwise) else {},
            },
            "time": {
                "seconds": round(self.time.seconds, 1),
                "measured": self.time.is_measured,
                "longest_chain": [as_json(wait) for wait in self.time.critical_path],
            },
            "findings": [as_json(one) for one in self.findings],
        }


def show_estimate(console: Console, estimate: PlanEstimate) -> None:
    """Print cost, time and findings of a plan."""
    for line in estimate_lines(estimate):
        console.data(line)
    show_findings(console, estimate)


def show_what_comes(console: Console, estimate: PlanEstimate) -> None:
    """Print the charges that begin soon, and the findings; for a plan without changes."""
    for line in _later_lines(estimate.cost):
        console.data(line)
    show_findings(console, estimate)


def show_findings(console: Console, estimate: PlanEstimate) -> None:
    """Print the problems that the preflight checks found, and what to do about them."""
    for one in estimate.findings:
        sign = console.paint("!", "red" if one.blocks else "yellow")
        console.data(f"  {sign} {'' if one.blocks else 'warning: '}{one.address}: {one.what}")
        if one.hint:
            console.data(f"      {one.hint}")


def estimate_lines(estimate: PlanEstimate) -> list[str]:
    """Return the lines about the cost, the cost in the other profile, and the time."""
    other = estimate.otherwise
    beside = [f"      With profile={other.profile}: {_span(other.cost)}."] if other else []
    return [*_cost_lines(estimate.cost), *beside, _time_line(estimate.time)]


def _cost_lines(cost: CostEstimate) -> Iterator[str]:
    """Yield the lines about the cost: the sums, the changed charges, and which prices are used or missing."""
    before, after = cost.totals
    most = f", up to {after.most:.2f} with every task and all capacity" if after.most > after.least else ""
    yield f"Cost: {before.least:.2f} -> {after.least:.2f} USD a month at the least{most}."
    for what, old, new in _moving(cost.before, cost.after):
        yield f"      {what}: {_span(old)} -> {_span(new)}"
    yield from _later_lines(cost)
    yield f"      List prices of {cost.region} as of {cost.as_of}, 730 hours{_borrowed(cost)}."
    if cost.by_use:
        yield f"      Not counted, as it depends on use: {', '.join(cost.by_use)}."
    if cost.unpriced:
        yield f"      No price is known for {', '.join(cost.unpriced)}."


def _later_lines(cost: CostEstimate) -> Iterator[str]:
    """Yield a line for each charge that begins soon."""
    for one in cost.later:
        day = f"{one.since} (reckoned)" if one.is_estimated else str(one.since)
        yield f"      From {day} on, {_span(one.cost)} USD a month besides for {one.what}."


def _moving(before: Bill, after: Bill) -> Iterator[tuple[str, Cost, Cost]]:
    """Yield the charges whose cost changes, with the cost before and after."""
    for what in before | after:
        old, new = before.get(what, Cost()), after.get(what, Cost())
        if old != new:
            yield what, old, new


def _span(cost: Cost) -> str:
    """Return a cost as text: the least, and the greatest if it differs."""
    return f"{cost.least:.2f}" + (f" (up to {cost.most:.2f})" if cost.most > cost.least else "")


def _borrowed(cost: CostEstimate) -> str:
    """Return the end of the sentence about prices: those that are taken from another region, if any."""
    names = ", ".join(key.rsplit("_", 1)[0].replace("_", " ") for key in cost.borrowed)
    return f"; those of us-east-1 for {names}, which are not in the table" if names else ""


def _time_line(time: TimeEstimate) -> str:
    """Return the line about the time, which names the longest waits on the critical path."""
    longest = sorted(time.critical_path, key=lambda wait: -wait.seconds)[:_MOST_NAMED]
    chain = [wait for wait in time.critical_path if wait in longest and wait.seconds >= 1]
    named = ", then ".join(f"{wait.logical_id} {duration(wait.seconds)}" for wait in chain)
    by = "as measured in earlier runs" if time.is_measured else "as is usual"
    return f"Time: about {duration(time.seconds)}".replace("about a", "a") + (f", {by}: {named}." if named else ".")


def duration(seconds: float) -> str:
    """Return a number of seconds in words."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 else "a moment"
    return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:02.0f} s"


def _told(cost: Cost) -> dict[str, float]:
    """Return a cost for the JSON output."""
    return {"least": round(cost.least, 2), "most": round(cost.most, 2)}
