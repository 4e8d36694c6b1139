"""A plan as a person reads it, and as a program does."""

from __future__ import annotations

from typing import Any

from provisioner.engine.compare import Difference
from provisioner.engine.decide import Change
from provisioner.engine.plan import Plan, look_up
from provisioner.engine.private import masked, masked_beside
from provisioner.engine.refs import resolve
from provisioner.terminal.ending import show_losses
from provisioner.terminal.fields import held_lines, lines
from provisioner.terminal.forecast import Forecast, show_forecast, show_what_comes
from provisioner.terminal.say import Say

_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("-/+", "yellow"),
    "delete": ("-", "red"),
    "finish": ("…", "blue"),
    "release": ("=", "dim"),
    "refuse": ("!", "red"),
    "keep": ("=", "dim"),
}


def show_plan(say: Say, plan: Plan, forecast: Forecast | None = None) -> None:
    """The changes, their sum, what they cost and how long; "No changes." alone where there are none."""
    if say.as_json:
        say.record("plan", **as_record(plan), **(forecast.as_record() if forecast else {}))
        return
    for note in plan.notes:
        say.data(note)
    for change in shown(plan):
        say.data(_line(say, change))
        for line in lines(change.differences):
            say.data(f"      {line}")
        for extra in change.extras:
            say.data(f"      - {extra.what}  (added by hand)")
    show_losses(say, [one.loses for one in shown(plan)])
    say.data(sentence(plan))
    for line in left_to_others(plan):
        say.note(line, "dim")
    if forecast:
        show = show_forecast if shown(plan) else show_what_comes
        show(say, forecast)


def _line(say: Say, change: Change) -> str:
    sign, color = _SIGNS["create" if change.keeps else change.verb]
    mark = " " * (3 - len(sign)) + say.paint(sign, color)
    what = f"{change.kind} {change.name}".rstrip()
    note = f"  ({why(change)})" if why(change) else ""
    return f"{mark} {change.piece}/{change.node}: {what}{note}"


def why(change: Change) -> str:
    """The reason for a change, in words."""
    if change.adopts and change.verb == "keep":
        return "found in AWS, adopted"
    return f"to be waited for: {change.why}" if change.verb == "finish" else change.why


def shown(plan: Plan) -> list[Change]:
    """What differs, and what is found in AWS and not in the ledger."""
    return [change for change in plan.changes.values() if change.verb != "keep" or change.adopts]


def held(plan: Plan) -> list[tuple[Change, Difference]]:
    """What differs and another owner holds."""
    return [(change, one) for change in plan.changes.values() for one in change.held]


def left_to_others(plan: Plan) -> list[str]:
    """A sentence for each owner and what it holds alike, with all resources of which that is so."""
    places: dict[tuple[str, str], list[str]] = {}
    for change, theirs in held(plan):
        told = "; ".join(held_lines([theirs]))
        places.setdefault((theirs.owner, told), []).append(f"{change.piece}/{change.node}")
    return [f"Left to {owner}: {', '.join(where)} {told}" for (owner, told), where in places.items()]


def summary(plan: Plan) -> dict[str, int]:
    """How many of each."""
    return {
        "add": plan.count("create", "replace"),
        "change": plan.count("update"),
        "destroy": plan.count("delete", "replace") - sum(one.keeps for one in plan.changes.values()),
        "finish": plan.count("finish"),
        "adopt": len(plan.adopted),
        "release": plan.count("release"),
        "refused": plan.count("refuse"),
    }


def sentence(plan: Plan) -> str:
    """The plan in one line."""
    if not shown(plan):
        return "No changes."
    counts = summary(plan)
    told = f"Plan: {counts['add']} to add, {counts['change']} to change, {counts['destroy']} to destroy"
    for word in ("finish", "adopt", "release", "refused"):
        told += f", {counts[word]} {word if word == 'refused' else 'to ' + word}" if counts[word] else ""
    return told + "."


def as_record(plan: Plan) -> dict[str, Any]:
    """The plan for a program; the README says what each field means."""
    return {
        "suffix": plan.stack.suffix,
        "notes": plan.notes,
        "changes": [_record(plan, one) for one in shown(plan)],
        "summary": summary(plan),
        "held": [
            {**_field(one), "owner": one.owner, "address": f"{change.piece}/{change.node}"}
            for change, one in held(plan)
        ],
    }


def _record(plan: Plan, change: Change) -> dict[str, Any]:
    return {
        "action": change.verb,
        "node": change.node,
        "piece": change.piece,
        "kind": change.kind,
        "name": change.name,
        "id": change.id,
        "adopts": change.adopts,
        "reason": change.why,
        "loses": change.loses,
        "fields": [_field(one) for one in change.differences],
        "removes": [one.what for one in change.extras],
        "properties": _properties(plan, change),
    }


def _properties(plan: Plan, change: Change) -> dict[str, Any] | None:
    """What is asked of a new one, as far as it is known; null where nothing new is made."""
    if change.verb not in ("create", "replace"):
        return None
    wanted = resolve(plan.stack.nodes[change.node].props, lambda ref: look_up(plan, ref))
    return dict(masked(wanted))


def _field(one: Difference) -> dict[str, Any]:
    return {"path": one.path, "old": masked(one.old), "new": masked_beside(one.new, one.old)}
