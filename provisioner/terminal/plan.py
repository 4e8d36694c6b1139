"""Output of a plan, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.sensitive import mask, mask_changes
from provisioner.errors import amount
from provisioner.terminal.console import Console
from provisioner.terminal.differences import difference_lines, external_field_lines
from provisioner.terminal.estimate import PlanEstimate, show_estimate, show_upcoming_charges
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
        console.record("plan", **plan_json(plan), **(estimate.to_json() if estimate else {}))
        return
    for note in plan.notes:
        console.text(note)
    for change in shown_changes(plan):
        console.item(_change_line(console, change))
        for line in difference_lines(change.differences):
            console.item(f"      {line}")
        for child in change.unmanaged:
            console.item(f"      - {child.description}  (added by hand)")
    show_losses(console, [change.data_loss for change in shown_changes(plan)])
    console.text(plan_sentence(plan))
    for line in external_owner_lines(plan):
        console.note(line, "dim")
    if estimate:
        show = show_estimate if shown_changes(plan) else show_upcoming_charges
        show(console, estimate)


def _change_line(console: Console, change: Change) -> str:
    """Return the line of one change: sign, address, type, name, and reason."""
    sign, color = _SIGNS["create" if change.retains_replaced else change.action]
    mark = " " * (3 - len(sign)) + console.paint(sign, color)
    resource = f"{change.type_name} {change.aws_name}".rstrip()
    reason = f"  ({describe_reason(change)})" if describe_reason(change) else ""
    return f"{mark} {change.step}/{change.logical_id}: {resource}{reason}"


def describe_reason(change: Change) -> str:
    """Return the reason for a change, in words."""
    if change.adopts and change.action == "keep":
        return "found in AWS, adopted"
    return f"to be waited for: {change.reason}" if change.action == "finish" else change.reason


def shown_changes(plan: Plan) -> list[Change]:
    """Return the changes that are shown: all but unchanged resources, and unchanged ones that are adopted."""
    return [change for change in plan.changes.values() if change.action != "keep" or change.adopts]


def external_differences(plan: Plan) -> list[tuple[Change, Difference]]:
    """Return the fields that differ and that another owner holds, each with the change of its resource."""
    return [(change, difference) for change in plan.changes.values() for difference in change.external]


def external_owner_lines(plan: Plan) -> list[str]:
    """Return a sentence for each owner and field that the owner holds.

    Resources with the same sentence share one.
    """
    addresses_by_statement: dict[tuple[str, str], list[str]] = {}
    for change, difference in external_differences(plan):
        statement = "; ".join(external_field_lines([difference]))
        addresses_by_statement.setdefault((difference.owner, statement), []).append(
            f"{change.step}/{change.logical_id}"
        )
    return [
        f"Managed by {owner}: {', '.join(addresses)} {statement}"
        for (owner, statement), addresses in addresses_by_statement.items()
    ]


def change_counts(plan: Plan) -> dict[str, int]:
    """Return the number of resources for each word; the account's own roles are counted in `roles` only."""
    changed_ids = {change.logical_id for change in shown_changes(plan) if change.action != "refuse"}
    return {
        "add": plan.count("create", "replace"),
        "change": plan.count("update"),
        "destroy": plan.count("delete", "replace") - sum(change.retains_replaced for change in plan.changes.values()),
        "finish": plan.count("finish"),
        "adopt": sum(change.logical_id not in plan.roles for change in plan.adopted),
        "release": plan.count("release"),
        "refused": len(plan.refused),
        "roles": len(changed_ids & plan.roles),
    }


def completed_changes(counts: Mapping[str, int]) -> str:
    """Return what an apply has done, as a clause: how many resources it added, changed and destroyed."""
    further = {"finish": "finished", "adopt": "adopted", "release": "released"}
    named = [f"{counts[key]} {word}" for key, word in further.items() if counts[key]]
    changed = [f"{counts['add']} added", f"{counts['change']} changed", f"{counts['destroy']} destroyed"]
    return ", ".join([*changed, *named])


def plan_sentence(plan: Plan) -> str:
    """Return the summary of a plan in one line."""
    if not shown_changes(plan):
        return "No changes."
    counts = change_counts(plan)
    text = f"Plan: {counts['add']} to add, {counts['change']} to change, {counts['destroy']} to destroy"
    labels = {"finish": "to finish", "adopt": "to adopt", "release": "to release", "refused": "refused"}
    text += "".join(f", {counts[outcome]} {label}" for outcome, label in labels.items() if counts[outcome])
    return f"{text}, and {describe_roles(counts['roles'])}." if counts["roles"] else f"{text}."


def describe_resources(count: int, roles: int) -> str:
    """Return how many resources of the stack there are in words, and how many of the account's own roles."""
    return amount(count, "resource") + (f" and {describe_roles(roles)}" if roles else "")


def describe_roles(count: int) -> str:
    """Return the number of the account's own roles in words; they do not count as the stack's resources."""
    return f"{count} of the account's own roles"


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return the plan for the JSON output; docs_site/json_lines.py explains each field."""
    return {
        "suffix": plan.stack.suffix,
        "notes": plan.notes,
        "changes": [_change_json(plan, change) for change in shown_changes(plan)],
        "summary": change_counts(plan),
        "held": [
            {**_difference_json(difference), "owner": difference.owner, "address": f"{change.step}/{change.logical_id}"}
            for change, difference in external_differences(plan)
        ],
    }


def _change_json(plan: Plan, change: Change) -> dict[str, Any]:
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
        "fields": [_difference_json(difference) for difference in change.differences],
        "removes": [child.description for child in change.unmanaged],
        "properties": _known_properties(plan, change),
    }


def _known_properties(plan: Plan, change: Change) -> dict[str, Any] | None:
    """Return the desired properties of a resource to be created, as far as they are known; else None."""
    if change.action not in ("create", "replace"):
        return None
    return dict(mask(plan.resolved_properties(plan.stack.resources[change.logical_id])))


def _difference_json(difference: Difference) -> dict[str, Any]:
    """Return one field that differs for the JSON output, with sensitive values masked."""
    return {"path": difference.path, "old": mask(difference.old), "new": mask_changes(difference.new, difference.old)}
