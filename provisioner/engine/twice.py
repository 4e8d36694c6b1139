"""The conditions under which a run must set its mark: another machine could create resources twice."""

from __future__ import annotations

from provisioner.engine.critical import Stage
from provisioner.engine.decide import is_identified_by_name
from provisioner.engine.plan import Plan


def marker_first(plan: Plan, graph: dict[Stage, set[Stage]]) -> None:
    """Let the marker be created before all resources that it does not need, and before all deletions.

    Of two runs, only the one that creates it goes on. `graph` maps each stage to the stages that it waits
    for, and is changed in place.
    """
    after = plan.stack.created_after_marker()
    if after and plan.changes[plan.stack.marker].action == "create":
        for stage, others in graph.items():
            if stage.what == "gone" or (stage.what == "exists" and stage.name in after):
                others.add(Stage(plan.stack.marker, "exists"))


def creates_duplicates(plan: Plan) -> bool:
    """Return whether the plan creates a resource of which AWS would create a second one beside the first."""
    resources = plan.stack.resources
    return any(
        change.action in ("create", "replace")
        and name in resources
        and resources[name].type.tagged
        and not is_identified_by_name(resources[name].type)
        for name, change in plan.changes.items()
    )
