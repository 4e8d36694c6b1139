"""The alarms that AWS makes for a target tracking policy, and by which alone it scales."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.clients import beside
from provisioner.engine.refs import Doc
from provisioner.engine.states import States

# What is asked here, by service: `policy` grants it.
CALLS = {"cloudwatch": ("DescribeAlarms",)}
# botocore cloudwatch DescribeAlarms, AlarmNames: so many in one call.
_MOST = 100
# Application Auto Scaling user guide, target tracking: `TargetTracking-<resource>-AlarmHigh-<id>` adds tasks,
# `-AlarmLow-` removes some.
_SIDES: Mapping[str, str] = {"high": "-AlarmHigh-", "low": "-AlarmLow-"}
# Where AWS names no alarm at all, it has none: each target tracking policy is born with them.
STATES = States(
    "Tracking",
    healthy=frozenset({"alarms"}),
    unhealthy=frozenset({"no alarms", "no high alarm", "no low alarm", "detached", "disabled"}),
    untold="healthy",
    says={
        "alarms": "called by its alarms",
        "no alarms": "without its CloudWatch alarms, so it scales no more",
        "no high alarm": "without its AlarmHigh, so it adds no tasks",
        "no low alarm": "without its AlarmLow, so it removes no tasks",
        "detached": "no longer called by all of its CloudWatch alarms, so it does not scale as it should",
        "disabled": "not called by its CloudWatch alarms (their actions are off), so it does not scale",
    },
)


def alarms_of(client: Any, policies: Iterable[Doc]) -> dict[str, Doc]:
    """DescribeAlarms: those that stand of all that the policies name, by name; 100 in a call."""
    cloudwatch = beside(client, "cloudwatch")
    names = sorted({name for one in policies for name in _named(one)})
    found: dict[str, Doc] = {}
    for at in range(0, len(names), _MOST):
        listed = cloudwatch.describe_alarms(AlarmNames=names[at : at + _MOST])["MetricAlarms"]
        found |= {one["AlarmName"]: one for one in listed}
    return found


def tracking(policy: Doc, standing: Mapping[str, Doc]) -> str:
    """Return the state of a policy's alarms, a word of `STATES`.

    An alarm calls the policy by an action that begins with the policy's ARN. One has to be there on each
    side, but for the low one of a policy that removes no tasks; where AWS names them otherwise, all that
    it names.
    """
    named = _named(policy)
    mine = [standing[name] for name in named if name in standing]
    wanted = _sides(policy) if any(part in name for part in _SIDES.values() for name in named) else {"": ""}
    if not mine or ("" in wanted and len(mine) < len(named)):
        return "no alarms"
    for side, part in wanted.items():
        if not any(part in one["AlarmName"] for one in mine):
            return f"no {side} alarm"
    if not all(_calls(one, policy) for one in mine):
        return "detached"
    return "alarms" if all(one.get("ActionsEnabled", True) for one in mine) else "disabled"


def _sides(policy: Doc) -> dict[str, str]:
    """The sides on which a policy needs an alarm, and how its name tells."""
    tracked = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    return {
        side: part for side, part in _SIDES.items() if side == "high" or not tracked.get("DisableScaleIn")
    }


def _calls(alarm: Doc, policy: Doc) -> bool:
    return any(str(one).startswith(policy["PolicyARN"]) for one in alarm.get("AlarmActions") or [])


def _named(policy: Doc) -> list[str]:
    return [one["AlarmName"] for one in policy.get("Alarms") or []]
