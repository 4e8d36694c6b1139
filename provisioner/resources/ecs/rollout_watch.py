"""The progress of one service deployment, followed until it has ended or a newer one superseded it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.execution.managed_resource import CONSISTENCY_SECONDS
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.deployment_strategies import describe_awaited_hook
from provisioner.resources.ecs.rollouts import list_rollouts, unless_denied
from provisioner.resources.ecs.service import describe_services, rollout_state
from provisioner.resources.ecs.service_deployments import (
    PENDING,
    ROLLED_BACK,
    STOPPED,
    SUCCESSFUL,
    SupersedingDeployment,
    has_failed,
    superseding_deployment,
    was_stopped_by_hand,
)
from state.errors import ProvisionerError

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the source.
CALLS = {"ecs": ("DescribeServiceDeployments", "StopServiceDeployment ml-api-cluster-{suffix}")}
# The state of a rollout derived from the service, as the status of a service deployment.
_STATUS_BY_STATE = {"COMPLETED": SUCCESSFUL, "FAILED": "ROLLBACK_FAILED", "ROLLED_BACK": ROLLED_BACK}


@dataclass(frozen=True)
class RolloutStage:
    """The progress of a deployment: ECS's status, and counts of tasks."""

    status: str
    reason: str = ""
    running_count: int = 0
    desired_count: int = 0
    failed_count: int = 0
    # Only where ECS shifts traffic: its lifecycle stage, and the hook that waits for a person.
    lifecycle_stage: str = ""
    awaited_hook: str = ""

    @property
    def description(self) -> str:
        """The progress in one line."""
        failed = f", {self.failed_count} failed" if self.failed_count else ""
        far = f", {self.lifecycle_stage}" if self.lifecycle_stage else ""
        waits = f"; {self.awaited_hook}" if self.awaited_hook else ""
        return f"{self.status}{far}: {self.running_count} of {self.desired_count} tasks run{failed}{waits}"


@dataclass
class RolloutWatch:
    """The deployment of one revision, followed until it has ended or a newer one superseded it.

    `known_arns` are the ARNs of the deployments, and `earlier_revisions` the task definitions, that existed before it.
    """

    clients: Clients
    cluster: str
    service: str
    revision: str
    known_arns: Set[str] = field(default_factory=frozenset)
    earlier_revisions: Set[str] = field(default_factory=frozenset)
    arn: str = ""
    successor: SupersedingDeployment | None = None
    # Whether it was ended by neither its tasks nor alarms, as far as ECS returns that.
    is_stopped_by_hand: bool = False

    def __post_init__(self) -> None:
        self._started_at = self.clients.clock.now()
        self._is_listed = False

    def read_stage(self) -> RolloutStage:
        """Return the progress of the deployment.

        It comes from DescribeServiceDeployments if that answers, else from the deployments in
        DescribeServices.
        """
        actual, none = self._read_service(), dict[str, Any]()
        same = [one for one in actual["deployments"] if one["taskDefinition"] == self.revision]
        mine = next((one for one in same if one["status"] == "PRIMARY"), same[0] if same else none)
        counts = (mine.get("runningCount", 0), mine.get("desiredCount", 0), mine.get("failedTasks", 0))
        self.arn = self.arn or self._find_arn()
        if self.arn and (stage := unless_denied(lambda: self._read_deployment(actual, *counts))):
            return stage
        if same or not self._may_be_hidden():
            self.successor = superseding_deployment(actual, self.revision, self.earlier_revisions)
        if self.successor:
            return RolloutStage(STOPPED, "", *counts)
        word = rollout_state(actual, self.revision)
        if self._may_be_hidden() and (self._is_listed or word == "ROLLED_BACK"):
            return RolloutStage(PENDING, "", *counts)
        return RolloutStage(_STATUS_BY_STATE.get(word, "IN_PROGRESS"), "", *counts)

    def _read_service(self) -> JsonObject:
        """Return the description of the service (DescribeServices).

        Raises:
            ProvisionerError: If the service was deleted meanwhile.

        """
        listed = describe_services(self.clients.client("ecs"), self.service, self.cluster)
        if actual := next((one for one in listed if one["status"] == "ACTIVE"), None):
            return actual
        raise ProvisionerError(f"{self.service} was deleted meanwhile.", "`apply` makes it anew.")

    def _find_arn(self) -> str:
        """Return the ARN of the revision's newest deployment that is not in `known`; "" if there is none."""
        listed = list_rollouts(self.clients, self.cluster, self.service, self.known_arns)
        self._is_listed = listed is not None
        return next((one.arn for one in listed or () if one.revision == self.revision), "")

    def _read_deployment(self, actual: JsonObject, running: int, desired: int, failed: int) -> RolloutStage | None:
        """Return the progress as DescribeServiceDeployments gives it, or None while it is not visible yet."""
        ecs = self.clients.client("ecs")
        listed = ecs.describe_service_deployments(serviceDeploymentArns=[self.arn])["serviceDeployments"]
        if not listed:
            return None
        told = listed[0]
        breaker = told.get("deploymentCircuitBreaker", {})
        failures = max(failed, breaker.get("failureCount", 0))
        status, self.is_stopped_by_hand = told["status"], was_stopped_by_hand(told)
        if status == STOPPED and not has_failed(told) and self._follow_newer(actual, told):
            status = "IN_PROGRESS"
        why, far = told.get("statusReason", ""), told.get("lifecycleStage", "")
        return RolloutStage(status, why, running, desired, failures, far, describe_awaited_hook(told))

    def _follow_newer(self, actual: JsonObject, stopped: JsonObject) -> bool:
        """Return whether a newer deployment of the same revision took over, and follow that one.

        Otherwise set `successor` to the deployment that superseded this one.
        """
        listed = list_rollouts(self.clients, self.cluster, self.service, self.known_arns) or []
        later = [one for one in listed if one.created_at > stopped["createdAt"].timestamp()]
        same = next((one for one in later if one.revision == self.revision), None)
        if later and later[0] is same:
            self.arn = same.arn
            return True
        first = SupersedingDeployment(later[-1].revision, later[-1].created_at) if later else None
        self.successor = first or superseding_deployment(actual, self.revision)
        return False

    def _may_be_hidden(self) -> bool:
        """Return whether ECS may have started a deployment that its list does not show yet."""
        window = self.clients.aws.consistency_window(CONSISTENCY_SECONDS)
        return self.clients.clock.now() - self._started_at < window

    def roll_back(self) -> None:
        """Stop the deployment and roll back (StopServiceDeployment).

        A deployment that has ended, or already rolls back, is left as it is.
        """
        ecs = self.clients.client("ecs")
        stop = partial(ecs.stop_service_deployment, serviceDeploymentArn=self.arn, stopType="ROLLBACK")
        try:
            call_with_retry(self.clients, stop)
        except ClientError as error:
            if code_of(error) != "ConflictException":
                raise
