"""The topic of alarms: alarms in the ALARM state with CloudWatch's reason, and unconfirmed subscriptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, ObservedResource

_IN_ALARM, _OK, _NO_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"
# The ARN of a subscription that its recipient has not confirmed (SNS API reference,
# ListSubscriptionsByTopic).
_PENDING = "PendingConfirmation"


def alarms(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each alarm that rings or could not be read, and one that counts all the others."""
    lines = list(context.lines_of_type("Alarm", _alarm_line))
    yield from (line for line in lines if line.status != "well")
    states = Counter(line.facts["state"] for line in lines if line.status == "well")
    if states:
        text = f"{states[_OK]} quiet, {states[_NO_DATA]} without data"
        name = "all" if len(lines) == states.total() else "others"
        yield HealthLine(name, text, "well", {"states": dict(states)})
    yield from context.lines_of_type("Subscription", _unconfirmed_subscription)


def _unconfirmed_subscription(subscription: ObservedResource, actual: JsonObject) -> list[HealthLine]:
    """Return a line for a subscription that nobody confirmed: SNS sends it nothing."""
    if actual["SubscriptionArn"] != _PENDING:
        return []
    text = f"{actual['Endpoint']} has not confirmed yet, and is told nothing"
    return [HealthLine(subscription.logical_id, text, "told", {"endpoint": actual["Endpoint"]})]


def _alarm_line(alarm: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of an alarm: for a ringing one its description and CloudWatch's reason."""
    state = actual["StateValue"]
    description = (actual.get("AlarmDescription", ""), actual.get("StateReason", ""))
    if state == _IN_ALARM:
        return HealthLine(alarm.logical_id, f"rings: {' '.join(filter(None, description))}", "unwell", {"state": state})
    return HealthLine(alarm.logical_id, "", "well", {"state": state})
