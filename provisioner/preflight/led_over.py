"""Rules by which ECS itself leads the requests of a service: not to be taken from under it."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.plan import Plan
from provisioner.kinds.ecs.strategies import rolling_command, shifts_of
from provisioner.preflight.finding import Finding


def led_over(made: Plan) -> Iterator[Finding]:
    """Yield each rule that a plan removes and that ECS was told of; makes no call.

    Without it each deployment of the service fails, and what else leads to the service leads to the group
    that is declared, which ECS may have left.
    """
    removed = {
        change.id: f"{change.piece}/{name}"
        for name, change in made.changes.items()
        if change.verb in ("delete", "replace") and change.id
    }
    whole = made.whole or made
    for node in whole.stack if removed else ():
        doc = whole.docs.get(node.name, {})
        if str(node.kind) != "Service":
            continue
        for shift in shifts_of(doc):
            for address in filter(
                None, (removed.get(id_) for arn in shift.rules for id_ in (arn, _listener(arn)))
            ):
                command = rolling_command(doc["loadBalancers"], doc["clusterArn"], doc["serviceName"])
                yield Finding(
                    address,
                    f"it goes, and {shift.words}, leads requests by it: they would go to {shift.own} alone, "
                    "where perhaps no task runs, and each deployment would fail",
                    f"Have ECS replace tasks in their group first: `{command}`. Or name another rule to ECS.",
                )


def _listener(rule: str) -> str:
    return rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
