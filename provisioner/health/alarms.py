"""The alarms: each that rings, with CloudWatch's reason, and who would not hear one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from provisioner.engine.refs import Doc
from provisioner.health.scene import Line, Scene, Sight

_RINGS, _QUIET, _NO_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"
# How SNS tells of an address whose reader has not confirmed (SNS API reference, ListSubscriptionsByTopic).
_PENDING = "PendingConfirmation"


def alarms(scene: Scene) -> Iterator[Line]:
    """A line an alarm that rings or cannot be seen, then how many do not."""
    found = list(scene.tell("Alarm", _alarm))
    yield from (line for line in found if line.mark != "well")
    states = Counter(line.facts["state"] for line in found if line.mark == "well")
    if states:
        says = f"{states[_QUIET]} quiet, {states[_NO_DATA]} without data"
        name = "all" if len(found) == states.total() else "others"
        yield Line(name, says, "well", {"states": dict(states)})
    yield from scene.tell("Subscription", _reader)


def _reader(one: Sight, doc: Doc) -> list[Line]:
    """An address that was asked and has not answered: SNS sends it nothing."""
    if doc["SubscriptionArn"] != _PENDING:
        return []
    says = f"{doc['Endpoint']} has not confirmed yet, and is told nothing"
    return [Line(one.node, says, "told", {"endpoint": doc["Endpoint"]})]


def _alarm(one: Sight, doc: Doc) -> Line:
    """What it is there for, and what CloudWatch says of its state."""
    state = doc["StateValue"]
    words = (doc.get("AlarmDescription", ""), doc.get("StateReason", ""))
    if state == _RINGS:
        return Line(one.node, f"rings: {' '.join(filter(None, words))}", "unwell", {"state": state})
    return Line(one.node, "", "well", {"state": state})
