"""The alarms that AWS creates for a target tracking policy, without which the policy does not scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.calls.clients import beside
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import StatusClasses

# The AWS operations that this module calls, by service: `policy` grants them.
CALLS = {"cloudwatch": ("DescribeAlarms",)}
# botocore cloudwatch DescribeAlarms, AlarmNames: how many names one call takes.
_MOST = 100
# Application Auto Scaling user guide, target tracking: `TargetTracking-<resource>-AlarmHigh-<id>` adds tasks,
# `-AlarmLow-` removes some.
_SIDES: Mapping[str, str] = {"high": "-AlarmHigh-", "low": "-AlarmLow-"}
# A policy for which AWS names no alarm has lost its alarms: every target tracking policy is created with
# some.
STATES = StatusClasses(
    "Tracking",
    healthy=frozenset({"alarms"}),
    unhealthy=frozenset({"no alarms", "no high alarm", "no low alarm", "detached", "disabled"}),
    when_missing="healthy",
    descriptions={
        "alarms": "called by its alarms",
        "no alarms": "without its CloudWatch alarms, so it scales no more",
        "no high alarm": "without its AlarmHigh, so it adds no tasks",
        "no low alarm": "without its AlarmLow, so it removes no tasks",
        "detached": "no longer called by all of its CloudWatch alarms, so it does not scale as it should",
        "disabled": "not called by its CloudWatch alarms (their actions are off), so it does not scale",
    },
)


def alarms_of(client: Any, policies: Iterable[JsonObject]) -> dict[str, JsonObject]:
    """Return the existing alarms that the policies name, by name; one call reads 100."""
    cloudwatch = beside(client, "cloudwatch")
    names = sorted({name for one in policies for name in _named(one)})
    found: dict[str, JsonObject] = {}
    for at in range(0, len(names), _MOST):
        listed = cloudwatch.describe_alarms(AlarmNames=names[at : at + _MOST])["MetricAlarms"]
        found |= {one["AlarmName"]: one for one in listed}
    return found


def tracking(policy: JsonObject, standing: Mapping[str, JsonObject]) -> str:
    """Return the status of a policy's alarms, one of the words of `STATES`.

    An alarm calls the policy by an action that begins with the policy's ARN. A policy needs a high alarm, and
    a low alarm unless its scale-in is disabled. If AWS names its alarms in another way, all that the policy
    names have to exist.

    Args:
        policy: The policy, as DescribeScalingPolicies returns it.
        standing: The existing alarms, by name.

    """
    named = _named(policy)
    mine = [standing[name] for name in named if name in standing]
    desired = _sides(policy) if any(part in name for part in _SIDES.values() for name in named) else {"": ""}
    if not mine or ("" in desired and len(mine) < len(named)):
        return "no alarms"
    for side, part in desired.items():
        if not any(part in one["AlarmName"] for one in mine):
            return f"no {side} alarm"
    if not all(_calls(one, policy) for one in mine):
        return "detached"
    return "alarms" if all(one.get("ActionsEnabled", True) for one in mine) else "disabled"


def _sides(policy: JsonObject) -> dict[str, str]:
    """Return the alarms that a policy needs, high and low, each with the part of its name that tells it."""
    tracked = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    return {side: part for side, part in _SIDES.items() if side == "high" or not tracked.get("DisableScaleIn")}


def _calls(alarm: JsonObject, policy: JsonObject) -> bool:
    return any(str(one).startswith(policy["PolicyARN"]) for one in alarm.get("AlarmActions") or [])


def _named(policy: JsonObject) -> list[str]:
    return [one["AlarmName"] for one in policy.get("Alarms") or []]
