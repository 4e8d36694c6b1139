"""The progress of one service deployment, followed until it has ended or a newer one superseded it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from functools import partial

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.execution.managed_resource import CONSISTENCY_SECONDS
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.described_services import describe_services
from provisioner.resources.ecs.lifecycle_hooks import describe_awaited_hook
from provisioner.resources.ecs.rollouts import list_rollouts, unless_denied
from provisioner.resources.ecs.service_deployments import (
    PENDING,
    ROLLED_BACK,
    STOPPED,
    SUCCESSFUL,
    SupersedingDeployment,
    has_failed,
    primary_deployment,
    rollout_state,
    superseding_deployment,
    was_stopped_by_hand,
)
from provisioner.service_clients import ECS
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
    reason: str = field(default="", metadata={"json": "why"})
    running_count: int = field(default=0, metadata={"json": "running"})
    desired_count: int = field(default=0, metadata={"json": "wanted"})
    failed_count: int = field(default=0, metadata={"json": "failed"})
    # Only where ECS shifts traffic: its lifecycle stage, and the hook that waits for a person.
    lifecycle_stage: str = field(default="", metadata={"json": "lifecycle"})
    awaited_hook: str = field(default="", metadata={"json": "waits"})

    @property
    def description(self) -> str:
        """The progress in one line."""
        failed = f", {self.failed_count} failed" if self.failed_count else ""
        stage = f", {self.lifecycle_stage}" if self.lifecycle_stage else ""
        hook = f"; {self.awaited_hook}" if self.awaited_hook else ""
        return f"{self.status}{stage}: {self.running_count} of {self.desired_count} tasks run{failed}{hook}"


@dataclass
class RolloutWatch:
    """The deployment of one revision, followed until it has ended or a newer one superseded it.

    Attributes:
        known_arns: The ARNs of the deployments that existed before it.
        earlier_revisions: The task definitions that the service had before it.
        arn: The ARN of the deployment; "" while it is not known.
        successor: The deployment that superseded it, if any.
        is_stopped_by_hand: Whether neither its tasks nor an alarm ended it, as far as ECS shows that.

    """

    clients: Clients
    cluster: str
    service: str
    revision: str
    known_arns: Set[str] = field(default_factory=frozenset)
    earlier_revisions: Set[str] = field(default_factory=frozenset)
    arn: str = ""
    successor: SupersedingDeployment | None = None
    is_stopped_by_hand: bool = False

    def __post_init__(self) -> None:
        self._started_at = self.clients.clock.now()
        self._is_listed = False

    def read_stage(self) -> RolloutStage:
        """Return the progress of the deployment.

        It comes from DescribeServiceDeployments if that call is allowed and shows the deployment, else from
        DescribeServices.
        """
        actual = self._read_service()
        of_revision = [each for each in actual["deployments"] if each["taskDefinition"] == self.revision]
        counts = _task_counts(of_revision)
        self.arn = self.arn or self.find_arn()
        if self.arn and (stage := unless_denied(lambda: self._read_deployment(actual, *counts))):
            return stage
        return RolloutStage(self._status_from_service(actual, is_shown=bool(of_revision)), "", *counts)

    def _status_from_service(self, actual: JsonObject, *, is_shown: bool) -> str:
        """Return the status of the deployment as far as the description of the service shows it.

        If another deployment superseded it, set `successor`. `is_shown` says whether the service lists a
        deployment of the revision.
        """
        if is_shown or not self._may_be_hidden():
            self.successor = superseding_deployment(actual, self.revision, self.earlier_revisions)
        if self.successor:
            return STOPPED
        state = rollout_state(actual, self.revision)
        if self._may_be_hidden() and (self._is_listed or state == "ROLLED_BACK"):
            return PENDING
        return _STATUS_BY_STATE.get(state, "IN_PROGRESS")

    def _read_service(self) -> JsonObject:
        """Return the description of the service (DescribeServices).

        Raises:
            ProvisionerError: If the service was deleted meanwhile.

        """
        listed = describe_services(self.clients.client(ECS), self.service, self.cluster)
        if actual := next((each for each in listed if each["status"] == "ACTIVE"), None):
            return actual
        raise ProvisionerError(f"{self.service} was deleted meanwhile.", "`apply` creates it again.")

    def find_arn(self) -> str:
        """Return the ARN of the revision's newest deployment that is not in `known_arns`; "" if there is none."""
        listed = list_rollouts(self.clients, self.cluster, self.service, self.known_arns)
        self._is_listed = listed is not None
        return next((each.arn for each in listed or () if each.revision == self.revision), "")

    def _read_deployment(self, actual: JsonObject, running: int, desired: int, failed: int) -> RolloutStage | None:
        """Return the progress as DescribeServiceDeployments gives it, or None while it is not visible yet."""
        ecs = self.clients.client(ECS)
        listed = ecs.describe_service_deployments(serviceDeploymentArns=[self.arn])["serviceDeployments"]
        if not listed:
            return None
        deployment = listed[0]
        breaker = deployment.get("deploymentCircuitBreaker", {})
        failures = max(failed, breaker.get("failureCount", 0))
        status, self.is_stopped_by_hand = deployment["status"], was_stopped_by_hand(deployment)
        if status == STOPPED and not has_failed(deployment) and self._follow_newer(actual, deployment):
            status = "IN_PROGRESS"
        reason, lifecycle_stage = deployment.get("statusReason", ""), deployment.get("lifecycleStage", "")
        return RolloutStage(
            status, reason, running, desired, failures, lifecycle_stage, describe_awaited_hook(deployment)
        )

    def _follow_newer(self, actual: JsonObject, stopped: JsonObject) -> bool:
        """Follow the newest deployment if it is of the same revision, and return whether it is.

        If it is not, set `successor` to the deployment that superseded the stopped one.
        """
        listed = list_rollouts(self.clients, self.cluster, self.service, self.known_arns) or []
        later = [each for each in listed if each.created_at > stopped["createdAt"].timestamp()]
        same_revision = next((each for each in later if each.revision == self.revision), None)
        if later and later[0] is same_revision:
            self.arn = same_revision.arn
            return True
        first = SupersedingDeployment(later[-1].revision, later[-1].created_at) if later else None
        self.successor = first or superseding_deployment(actual, self.revision)
        return False

    def _may_be_hidden(self) -> bool:
        """Return whether ECS may have started a deployment that its list does not show yet."""
        window = self.clients.aws.consistency_window(CONSISTENCY_SECONDS)
        return self.clients.clock.now() - self._started_at < window

    def roll_back(self) -> None:
        """Stop the deployment and roll it back (StopServiceDeployment).

        A deployment that has ended, or already rolls back, is left as it is.
        """
        ecs = self.clients.client(ECS)
        stop = partial(ecs.stop_service_deployment, serviceDeploymentArn=self.arn, stopType="ROLLBACK")
        try:
            call_with_retry(self.clients, stop)
        except ClientError as error:
            if code_of(error) != "ConflictException":
                raise


def _task_counts(deployments: list[JsonObject]) -> tuple[int, int, int]:
    """Return how many tasks run, are desired and failed, of the primary deployment, else of the first one."""
    deployment = primary_deployment({"deployments": deployments}) or next(iter(deployments), {})
    return deployment.get("runningCount", 0), deployment.get("desiredCount", 0), deployment.get("failedTasks", 0)
