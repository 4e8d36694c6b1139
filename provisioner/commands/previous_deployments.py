"""What existed of a service before a deployment begins, so that the deployment can be told from it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from provisioner.commands.fail_fast import read_stopped_tasks
from provisioner.commands.service_controller import ServiceController
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.resources.ecs.rollouts import deployment_arns, list_rollouts
from provisioner.resources.ecs.traffic_shifts import strategy_seconds


@dataclass
class PreviousDeployments:
    """What existed before a deployment began: deployments, their revisions, and stopped tasks."""

    rollouts: Set[str] = field(default_factory=frozenset)
    revisions: Set[str] = field(default_factory=frozenset)
    # None if stopped tasks are of no interest, or may not be read.
    stopped_tasks: Set[str] | None = field(default_factory=frozenset)
    # How many seconds ECS itself plans to take: steps and bake time of its own strategies.
    planned_seconds: float = 0.0

    @classmethod
    def read(
        cls, service: ServiceController, running: RunningRevision, revision: str, *, under_way: bool, fail_fast: bool
    ) -> PreviousDeployments:
        """Return what exists before the call that begins a deployment.

        If the deployment is already `under_way`, the newest one does not count as earlier, provided that it
        is of this revision.
        """
        clients = service.session.clients
        arns = deployment_arns(clients, service.cluster, service.aws_name, service.session.warn)
        earlier_revisions = frozenset(deployment["taskDefinition"] for deployment in running.service["deployments"])
        planned = strategy_seconds(running.service)
        if not under_way:
            return cls(frozenset(arns), earlier_revisions, read_stopped_tasks(service) if fail_fast else None, planned)
        earlier = frozenset(arns[1:])
        newest_rollouts = list_rollouts(clients, service.cluster, service.aws_name, earlier) or []
        is_own = any(deployment.revision == revision for deployment in newest_rollouts)
        return cls(earlier if is_own else frozenset(arns), earlier_revisions, planned_seconds=planned)
