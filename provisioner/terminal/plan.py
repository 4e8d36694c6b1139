"""A plan as a person reads it, and as a program does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from provisioner.engine.compare import Difference
from provisioner.engine.decide import Change
from provisioner.engine.plan import Plan
from provisioner.engine.refs import unveiled
from provisioner.terminal.say import Say

_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("-/+", "yellow"),
    "delete": ("-", "red"),
    "finish": ("…", "blue"),
    "refuse": ("!", "red"),
    "keep": ("=", "dim"),
}
_WIDEST = 100


def show_plan(say: Say, plan: Plan) -> None:
    """The changes, then their sum; "No changes." alone where there are none."""
    if say.as_json:
        changes = [_record(one) for one in shown(plan)]
        say.record("plan", suffix=plan.stack.suffix, changes=changes, summary=summary(plan))
        return
    for change in shown(plan):
        sign, color = _SIGNS[change.verb]
        what = f"{change.kind} {change.name}".rstrip()
        note = f"  ({change.why})" if change.why else ""
        adopted = "  (found in AWS, adopted)" if change.adopts and change.verb == "keep" else ""
        say.data(f"{say.paint(sign, color):>3} {change.piece}/{change.node}: {what}{note}{adopted}")
        for line in _fields(change):
            say.data(f"      {line}")
    say.data(sentence(plan))


def shown(plan: Plan) -> list[Change]:
    """What differs, and what is found in AWS and not in the ledger."""
    return [change for change in plan.changes.values() if change.verb != "keep" or change.adopts]


def summary(plan: Plan) -> dict[str, int]:
    """How many of each."""
    return {
        "add": plan.count("create", "replace"),
        "change": plan.count("update"),
        "destroy": plan.count("delete", "replace"),
        "finish": plan.count("finish"),
        "adopt": len(plan.adopted),
        "refused": plan.count("refuse"),
    }


def sentence(plan: Plan) -> str:
    """The plan in one line."""
    if not shown(plan):
        return "No changes."
    counts = summary(plan)
    told = f"Plan: {counts['add']} to add, {counts['change']} to change, {counts['destroy']} to destroy"
    for word in ("finish", "adopt", "refused"):
        told += f", {counts[word]} {word if word == 'refused' else 'to ' + word}" if counts[word] else ""
    return told + "."


def _fields(change: Change) -> Iterator[str]:
    for one in change.differences:
        yield f"{one.path}: {_value(one.old)} -> {_value(one.new)}"


def _value(value: Any) -> str:
    text = json.dumps(unveiled(value), default=str) if not isinstance(value, str) else value
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _record(change: Change) -> dict[str, Any]:
    return {
        "action": change.verb,
        "node": change.node,
        "piece": change.piece,
        "kind": change.kind,
        "name": change.name,
        "id": change.id,
        "adopts": change.adopts,
        "reason": change.why,
        "fields": [_field(one) for one in change.differences],
    }


def _field(one: Difference) -> dict[str, Any]:
    return {"path": one.path, "old": unveiled(one.old), "new": unveiled(one.new)}
