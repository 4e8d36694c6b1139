"""Output of a plan, as text and as JSON."""

from __future__ import annotations

from typing import Any

from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan, look_up
from provisioner.engine.resource_graph.references import resolve
from provisioner.engine.resource_graph.sensitive import mask, mask_changes
from provisioner.terminal.console import Console
from provisioner.terminal.differences import external_field_lines, lines
from provisioner.terminal.estimate import PlanEstimate, show_estimate, show_what_comes
from provisioner.terminal.teardown_plan import show_losses

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


def show_plan(console: Console, plan: Plan, estimate: PlanEstimate | None = None) -> None:
    """Print the changes, the summary, and the cost and time.

    Without changes, "No changes." is printed, and the charges that begin soon.
    """
    if console.as_json:
        console.record("plan", **as_record(plan), **(estimate.as_record() if estimate else {}))
        return
    for note in plan.notes:
        console.data(note)
    for change in shown(plan):
        console.data(_line(console, change))
        for line in lines(change.differences):
            console.data(f"      {line}")
        for extra in change.unmanaged:
            console.data(f"      - {extra.description}  (added by hand)")
    show_losses(console, [one.data_loss for one in shown(plan)])
    console.data(sentence(plan))
    for line in left_to_others(plan):
        console.note(line, "dim")
    if estimate:
        show = show_estimate if shown(plan) else show_what_comes
        show(console, estimate)


def _line(console: Console, change: Change) -> str:
    """Return the line of one change: sign, address, type, name, and reason."""
    sign, color = _SIGNS["create" if change.keeps_image else change.action]
    mark = " " * (3 - len(sign)) + console.paint(sign, color)
    what = f"{change.type_name} {change.aws_name}".rstrip()
    note = f"  ({why(change)})" if why(change) else ""
    return f"{mark} {change.step}/{change.logical_id}: {what}{note}"


def why(change: Change) -> str:
    """Return the reason for a change, in words."""
    if change.adopts and change.action == "keep":
        return "found in AWS, adopted"
    return f"to be waited for: {change.reason}" if change.action == "finish" else change.reason


def shown(plan: Plan) -> list[Change]:
    """Return the changes that are shown: all but unchanged resources, and unchanged ones that are adopted."""
    return [change for change in plan.changes.values() if change.action != "keep" or change.adopts]


def held(plan: Plan) -> list[tuple[Change, Difference]]:
    """Return the fields that differ and that another owner holds, each with the change of its resource."""
    return [(change, one) for change in plan.changes.values() for one in change.external]


def left_to_others(plan: Plan) -> list[str]:
    """Return a sentence for each owner and field that the owner holds.

    Resources with the same sentence share one.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for change, theirs in held(plan):
        told = "; ".join(external_field_lines([theirs]))
        places.setdefault((theirs.owner, told), []).append(f"{change.step}/{change.logical_id}")
    return [f"Left to {owner}: {', '.join(where)} {told}" for (owner, told), where in places.items()]


def summary(plan: Plan) -> dict[str, int]:
    """Return the number of resources for each word; the account's own roles are counted in `roles` only."""
    touched = {one.logical_id for one in shown(plan) if one.action != "refuse"}
    return {
        "add": plan.count("create", "replace"),
        "change": plan.count("update"),
        "destroy": plan.count("delete", "replace") - sum(one.keeps_image for one in plan.changes.values()),
        "finish": plan.count("finish"),
        "adopt": sum(one.logical_id not in plan.roles for one in plan.adopted),
        "release": plan.count("release"),
        "refused": len(plan.refused),
        "roles": len(touched & plan.roles),
    }


def sentence(plan: Plan) -> str:
    """Return the summary of a plan in one line."""
    if not shown(plan):
        return "No changes."
    counts = summary(plan)
    told = f"Plan: {counts['add']} to add, {counts['change']} to change, {counts['destroy']} to destroy"
    for word in ("finish", "adopt", "release", "refused"):
        told += f", {counts[word]} {word if word == 'refused' else 'to ' + word}" if counts[word] else ""
    return f"{told}, and {roles_told(counts['roles'])}." if counts["roles"] else f"{told}."


def roles_told(count: int) -> str:
    """Return the number of the account's own roles in words; they do not count as the stack's resources."""
    return f"{count} of the account's own roles"


def as_record(plan: Plan) -> dict[str, Any]:
    """Return the plan for the JSON output; the README explains each field."""
    return {
        "suffix": plan.stack.suffix,
        "notes": plan.notes,
        "changes": [_record(plan, one) for one in shown(plan)],
        "summary": summary(plan),
        "held": [
            {**_field(one), "owner": one.owner, "address": f"{change.step}/{change.logical_id}"}
            for change, one in held(plan)
        ],
    }


def _record(plan: Plan, change: Change) -> dict[str, Any]:
    """Return one change for the JSON output."""
    return {
        "action": change.action,
        "node": change.logical_id,
        "piece": change.step,
        "kind": change.type_name,
        "name": change.aws_name,
        "id": change.id,
        "adopts": change.adopts,
        "reason": change.reason,
        "loses": change.data_loss,
        "fields": [_field(one) for one in change.differences],
        "removes": [one.description for one in change.unmanaged],
        "properties": _properties(plan, change),
    }


def _properties(plan: Plan, change: Change) -> dict[str, Any] | None:
    """Return the desired properties of a resource to be created, as far as they are known; else None."""
    if change.action not in ("create", "replace"):
        return None
    wanted = resolve(plan.stack.resources[change.logical_id].props, lambda ref: look_up(plan, ref))
    return dict(mask(wanted))


def _field(one: Difference) -> dict[str, Any]:
    """Return one field that differs for the JSON output, with sensitive values masked."""
    return {"path": one.path, "old": mask(one.old), "new": mask_changes(one.new, one.old)}
