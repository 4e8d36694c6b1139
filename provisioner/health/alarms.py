"""The topic of alarms: alarms in the ALARM state with CloudWatch's reason, and unconfirmed subscriptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, ObservedResource

_RINGS, _QUIET, _NO_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"
# The ARN of a subscription that its recipient has not confirmed (SNS API reference,
# ListSubscriptionsByTopic).
_PENDING = "PendingConfirmation"


def alarms(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each alarm that rings or could not be read, and one that counts all the others."""
    found = list(context.lines("Alarm", _alarm))
    yield from (line for line in found if line.status != "well")
    states = Counter(line.facts["state"] for line in found if line.status == "well")
    if states:
        says = f"{states[_QUIET]} quiet, {states[_NO_DATA]} without data"
        name = "all" if len(found) == states.total() else "others"
        yield HealthLine(name, says, "well", {"states": dict(states)})
    yield from context.lines("Subscription", _reader)


def _reader(one: ObservedResource, doc: JsonObject) -> list[HealthLine]:
    """Return a line for a subscription that nobody confirmed: SNS sends it nothing."""
    if doc["SubscriptionArn"] != _PENDING:
        return []
    says = f"{doc['Endpoint']} has not confirmed yet, and is told nothing"
    return [HealthLine(one.logical_id, says, "told", {"endpoint": doc["Endpoint"]})]


def _alarm(one: ObservedResource, doc: JsonObject) -> HealthLine:
    """Return the line of an alarm: for a ringing one its description and CloudWatch's reason."""
    state = doc["StateValue"]
    words = (doc.get("AlarmDescription", ""), doc.get("StateReason", ""))
    if state == _RINGS:
        return HealthLine(one.logical_id, f"rings: {' '.join(filter(None, words))}", "unwell", {"state": state})
    return HealthLine(one.logical_id, "", "well", {"state": state})
