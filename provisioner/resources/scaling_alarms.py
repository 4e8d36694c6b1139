"""The alarms that AWS creates for a target tracking policy, without which the policy does not scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.engine.calls.clients import Client, sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import StatusClasses
from provisioner.service_clients import CloudWatch

# The AWS operations that this module calls, by service: `policy` grants them.
CALLS = {"cloudwatch": ("DescribeAlarms",)}
# botocore cloudwatch DescribeAlarms, AlarmNames: how many names one call takes.
_NAMES_PER_CALL = 100
# Application Auto Scaling user guide, target tracking: `TargetTracking-<resource>-AlarmHigh-<id>` adds tasks,
# `-AlarmLow-` removes some.
_NAME_PARTS: Mapping[str, str] = {"high": "-AlarmHigh-", "low": "-AlarmLow-"}
# A policy for which AWS names no alarm has lost its alarms: every target tracking policy is created with
# some.
STATUS_CLASSES = StatusClasses(
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


def read_alarms(client: Client, policies: Iterable[JsonObject]) -> dict[str, JsonObject]:
    """Return the existing alarms that the policies name, by name; one call reads 100."""
    cloudwatch = sibling_client(client, CloudWatch)
    names = sorted({name for policy in policies for name in _alarm_names(policy)})
    alarms: dict[str, JsonObject] = {}
    for start in range(0, len(names), _NAMES_PER_CALL):
        listed = cloudwatch.describe_alarms(AlarmNames=names[start : start + _NAMES_PER_CALL])["MetricAlarms"]
        alarms |= {alarm["AlarmName"]: alarm for alarm in listed}
    return alarms


def tracking_status(policy: JsonObject, alarms: Mapping[str, JsonObject]) -> str:
    """Return the status of a policy's alarms, one of the words of `STATUS_CLASSES`.

    An alarm calls the policy by an action that begins with the policy's ARN. A policy needs a high alarm, and
    a low alarm unless its scale-in is disabled. If the alarms do not have AWS's usual names, every alarm that
    the policy lists has to exist.

    Args:
        policy: The policy, as DescribeScalingPolicies returns it.
        alarms: The existing alarms, by name.

    """
    names = _alarm_names(policy)
    policy_alarms = [alarms[name] for name in names if name in alarms]
    has_usual_names = any(part in name for part in _NAME_PARTS.values() for name in names)
    if not policy_alarms or (not has_usual_names and len(policy_alarms) < len(names)):
        return "no alarms"
    missing_sides = _missing_sides(policy, policy_alarms) if has_usual_names else []
    if missing_sides:
        return f"no {missing_sides[0]} alarm"
    if not all(_calls_policy(alarm, policy) for alarm in policy_alarms):
        return "detached"
    return "alarms" if all(alarm.get("ActionsEnabled", True) for alarm in policy_alarms) else "disabled"


def _missing_sides(policy: JsonObject, policy_alarms: list[JsonObject]) -> list[str]:
    """Return which of the alarms that a policy needs, high and low, are not among its existing alarms."""
    configuration = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    needed = ["high"] if configuration.get("DisableScaleIn") else ["high", "low"]
    names = [alarm["AlarmName"] for alarm in policy_alarms]
    return [side for side in needed if not any(_NAME_PARTS[side] in name for name in names)]


def _calls_policy(alarm: JsonObject, policy: JsonObject) -> bool:
    """Return whether an action of the alarm is the policy."""
    return any(str(action).startswith(policy["PolicyARN"]) for action in alarm.get("AlarmActions") or [])


def _alarm_names(policy: JsonObject) -> list[str]:
    """Return the names of the alarms that AWS lists for the policy."""
    return [alarm["AlarmName"] for alarm in policy.get("Alarms") or []]
