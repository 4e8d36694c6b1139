"""The watch for another run's mark, and what AWS would create twice without one."""

from __future__ import annotations

from provisioner.engine.calls.clock import Clock
from provisioner.engine.estimates.critical_path import Stage
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.resource_owner import is_identified_by_name
from provisioner.engine.run_marker.marker import RunMarker
from state.errors import LockHeld


class RunMarkerWatch:
    """The watch of one run: before the first call, then once a minute while it calls, and at the end.

    `exists` says whether the plan found the marker resource.
    """

    def __init__(self, marker: RunMarker, clock: Clock, *, exists: bool) -> None:
        self._marker = marker
        self._clock = clock
        self._exists = exists
        self._checked_at = 0.0

    def begin(self) -> None:
        """Look for another run's mark before the first call.

        Raises:
            LockHeld: Another run is at work on the stack.

        """
        actual = self._marker.read()
        self._marker.check(actual)
        self._exists = self._exists or actual is not None
        self._checked_at = self._clock.now()

    def guard(self) -> None:
        """Look again if the last look is old enough; called before every call that changes AWS.

        Raises:
            LockHeld: Another run has begun, or has removed the stack.

        """
        if self._clock.now() - self._checked_at >= self._marker.renewal_seconds:
            self._checked_at = self._clock.now()
            self._check("nothing more was called")

    def confirm(self) -> None:
        """Look once more at the end of the run.

        Raises:
            LockHeld: Another run is at work, or has removed the stack.

        """
        self._check("what was done here may be gone or changed by now")

    def end(self) -> None:
        """Do nothing: this run has set no mark."""

    def _check(self, consequence: str) -> None:
        # If the marker existed before, one read that misses it is no proof that it was deleted.
        actual = self._marker.read_consistently() if self._exists else self._marker.read()
        if mark := self._marker.other(actual):
            raise self._marker.conflict_error(mark, consequence)
        if self._exists and actual is None:
            managed = self._marker.target
            raise LockHeld(
                f"The stack {managed.spec.suffix} was removed while this run was at work: "
                f"{managed.description} is gone; {consequence}.",
                "Find out who tore it down; run the same command again where it is to stand.",
            )


def put_marker_first(plan: Plan, graph: dict[Stage, set[Stage]]) -> None:
    """Let the marker be created before all resources that it does not need, and before all deletions.

    Of two runs, only the one that creates it goes on. `graph` maps each stage to the stages that it waits
    for, and is changed in place.
    """
    after = plan.stack.created_after_marker()
    if after and plan.changes[plan.stack.marker].action == "create":
        for stage, others in graph.items():
            if stage.milestone == "gone" or (stage.milestone == "exists" and stage.logical_id in after):
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
