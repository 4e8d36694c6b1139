"""What has changed since a plan was saved: the location, the settings, the state, or AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from provisioner.commands.saved_plan import SavedPlan, change_outline, fingerprinted_settings
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.sensitive import CHANGED, SET, mask, mask_changes
from provisioner.errors import Blocked
from provisioner.session import Session
from provisioner.terminal.differences import difference_lines
from state.serialization import as_json

_SETTING = "setting "


def check_inputs(plan: SavedPlan, session: Session) -> None:
    """Check, before a new plan is made, that location, settings and state are those of the saved plan.

    Raises:
        Blocked: One of them has changed.

    """
    changed = [*_changed_location(plan, session), *_changed_settings(plan, session), *_changed_state(plan, session)]
    if changed:
        raise _changed_error(plan, session, changed)
    if not session.is_known:
        session.state.lookups = plan.facts


def check_changes(plan: SavedPlan, session: Session, new_plan: Plan) -> None:
    """Check that the new plan decides the same as the saved one.

    Raises:
        Blocked: AWS, or a value that is looked up, has changed since.

    """
    outlines = change_outline(new_plan.changes, plan.salt)
    changed = [
        line
        for name in plan.changes | outlines
        for line in _changed_resource(plan.changes.get(name), outlines.get(name), new_plan.changes.get(name))
    ]
    if changed := [*_changed_lookups(plan, new_plan), *changed]:
        raise _changed_error(plan, session, changed)


def _changed_lookups(plan: SavedPlan, new_plan: Plan) -> Iterator[str]:
    """Yield looked-up values that have changed.

    A resource that is yet to be created has no field in which the change would show.
    """
    for name, current in new_plan.state.lookups.items():
        if plan.facts.get(name) != current:
            yield f"{name}: {json.dumps(plan.facts.get(name))} -> {json.dumps(current)}"


def _changed_error(plan: SavedPlan, session: Session, changed: list[str]) -> Blocked:
    """Return the error that lists what has changed since the plan was saved."""
    lines = "\n".join(f"  {line}" for line in changed)
    command = session.options.workspace.command("plan", session.suffix)
    hint = f"Look at it again and keep that: `{command} --out FILE`."
    if any(line.startswith(_SETTING) and (SET in line or CHANGED in line) for line in changed):
        hint = (
            "A saved plan keeps no variables: give them to this `apply`, too, by the same `--set` or by "
            f"`--keep-settings`. Where they have changed: {hint[0].lower()}{hint[1:]}"
        )
    return Blocked(
        f"This plan of {plan.made} is not what would happen now; nothing was changed. It moved:\n{lines}",
        hint,
    )


def _changed_location(plan: SavedPlan, session: Session) -> Iterator[str]:
    """Yield the parts of the location that have changed."""
    for name, current in as_json(session.location).items():
        if plan.place.get(name) != current:
            yield f"{name}: {plan.place.get(name) or 'AWS'} -> {current or 'AWS'}"


def _changed_settings(plan: SavedPlan, session: Session) -> Iterator[str]:
    """Yield the settings that have changed, with secret values masked."""
    then, current = plan.settings, fingerprinted_settings(session.settings, plan.salt)
    for path in then | current:
        if then.get(path) != current.get(path):
            old, new = mask(then.get(path)), mask_changes(current.get(path), then.get(path))
            yield f"{_SETTING}{path}: {json.dumps(old)} -> {json.dumps(new)}"


def _changed_state(plan: SavedPlan, session: Session) -> Iterator[str]:
    """Yield a line if the state is another one, or was written since."""
    lineage = session.state.lineage if session.is_known else ""
    if plan.lineage != lineage:
        words = {"": "none"}
        yield f"state file: {words.get(plan.lineage, plan.lineage)} -> {words.get(lineage, lineage)}"
    elif plan.serial != session.state.serial:
        yield f"state file: written since, serial {plan.serial} -> {session.state.serial}"


def _changed_resource(saved: dict[str, Any] | None, new: dict[str, Any] | None, change: Change | None) -> Iterator[str]:
    """Yield how the change of one resource differs between the saved plan and the new one."""
    if saved == new:
        return
    address = (new or saved or {})["address"]
    if saved is None or new is None:
        yield f"{address}: {'new' if saved is None else 'no longer'} in the plan"
        return
    for key in ("action", "id", "adopts"):
        if saved[key] != new[key]:
            yield f"{address}: {key} {saved[key] or '(none)'} -> {new[key] or '(none)'}"
    if saved["removes"] != new["removes"]:
        removed = "; ".join(new["removes"]) or "nothing"
        yield f"{address}: what was added by hand and goes is now: {removed}"
    shown = list(difference_lines(change.differences)) if change else []
    if saved["fields"] != new["fields"]:
        yield f"{address}: other fields differ: {'; '.join(shown) or 'none now'}"
