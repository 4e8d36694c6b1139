"""Normal forms of rule actions and conditions, so that declared and actual ones can be compared."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.references import JsonObject


def action_form(action: JsonObject) -> JsonObject:
    """Return an action in its normal form.

    AWS returns a plain forward twice: by its target group, and as a list with one target group.
    """
    plain = {key: value for key, value in action.items() if key not in ("ForwardConfig", "Order")}
    forward = action.get("ForwardConfig") or {}
    targets = [{"Weight": 1, **one} for one in forward.get("TargetGroups") or []]
    sticky = forward.get("TargetGroupStickinessConfig") or {}
    if action["Type"] != "forward" or not targets:
        return plain
    if len(targets) == 1 and targets[0]["Weight"] and not sticky.get("Enabled"):
        return {**plain, "TargetGroupArn": targets[0]["TargetGroupArn"]}
    plain.pop("TargetGroupArn", None)
    config = {
        "TargetGroups": targets,
        "TargetGroupStickinessConfig": {"Enabled": bool(sticky.get("Enabled"))},
    }
    return {**plain, "ForwardConfig": config}


def condition_form(condition: JsonObject) -> JsonObject:
    """Return a condition in its normal form.

    AWS returns its values twice: plainly, and in the config structure of the field.
    """
    configs = [inner for key, inner in condition.items() if key.endswith("Config")]

    def told(key: str) -> Any:
        # A value that is not known yet, or is a secret, takes the place of the whole list.
        return next((one[key] for one in (condition, *configs) if one.get(key)), [])

    header = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName", "")
    values, patterns = told("Values"), told("RegexValues")
    return {"Field": condition["Field"], "Header": header, "Values": values, "RegexValues": patterns}


def weights_of(actions: list[JsonObject]) -> dict[str, int]:
    """Return the weights of a forward action by target group ARN; {} if the action is no forward."""
    if len(actions) != 1 or actions[0]["Type"] != "forward":
        return {}
    listed = (actions[0].get("ForwardConfig") or {}).get("TargetGroups") or [actions[0]]
    return {one["TargetGroupArn"]: one.get("Weight", 1) for one in listed}
