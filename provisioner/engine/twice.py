"""What AWS would make a second time for another machine's run: that is why a run marks the stack."""

from __future__ import annotations

from provisioner.engine.critical import Stage
from provisioner.engine.decide import proves_nothing
from provisioner.engine.plan import Plan


def marker_first(plan: Plan, graph: dict[Stage, set[Stage]]) -> None:
    """Where the marker is yet to be made, let it come before all others: of two runs, one makes it."""
    after = plan.stack.after_marker()
    if after and plan.changes[plan.stack.marker].verb == "create":
        for stage, others in graph.items():
            if stage.what == "gone" or (stage.what == "exists" and stage.name in after):
                others.add(Stage(plan.stack.marker, "exists"))


def makes_two(plan: Plan) -> bool:
    """Whether the plan makes something of which AWS would make a second one beside the first."""
    nodes = plan.stack.nodes
    return any(
        change.verb in ("create", "replace")
        and name in nodes
        and nodes[name].kind.tagged
        and not proves_nothing(nodes[name].kind)
        for name, change in plan.changes.items()
    )
