"""The ECS service, with the state of its rollout."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Refusal
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations, minutes
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import RolledBack, Superseded
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND, ROLE_NOT_VISIBLE, EcsResourceType
from provisioner.resources.ecs.deployment_diagnosis import diagnose, is_newest_stopped_by_hand
from provisioner.resources.ecs.described_services import describe_services
from provisioner.resources.ecs.lifecycle_hooks import read_awaited_hook
from provisioner.resources.ecs.service_deployments import (
    FAILED_STATUSES,
    STOPPED_BY_HAND_HINT,
    has_failed_since,
    primary_deployment,
    rollout_state,
    superseding_deployment,
)
from provisioner.resources.ecs.task_charges import task_charges
from provisioner.resources.ecs.traffic_shifts import (
    TRAFFIC_SHIFT_KEY,
    describe_deployment_in_progress,
    rolling_strategy_command,
    rules_in_use,
    strategy_of,
    strategy_seconds,
)
from provisioner.resources.field_owners.ecs import SERVICE
from provisioner.resources.tags import lower_case_pairs, mapping
from provisioner.service_clients import ECS
from state.errors import ProvisionerError

# botocore ecs Deployment: set on the service, but returned only with its deployments.
_DEPLOYMENT_SETTINGS = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
# How far this machine's clock may be from the clock of AWS, in seconds.
_CLOCK_SKEW_SECONDS = 60.0


def _why_target_group_is_fixed(actual: Any, _wanted: Any) -> str:
    """Return why target group and port cannot change because ECS shifts the traffic; "" if they can."""
    if not any(balancer.get(TRAFFIC_SHIFT_KEY) for balancer in actual or ()):
        return ""
    return (
        "ECS itself leads its requests between two target groups (its deployment strategy was set by hand), "
        "and these know of no other group or port; have it replace tasks in their group first: "
        f"`{rolling_strategy_command(actual, '{cluster}', '{serviceName}')}`"
    )


class Service(EcsResourceType):
    """An ECS service: it keeps a number of tasks running behind a load balancer."""

    id_paths, name_property, noun = "serviceArn", "serviceName", "service"
    pricing = Pricing(task_charges)
    ownership = SERVICE
    id_is_name = True
    ready = {"Rollout": "COMPLETED"}
    failed, on_failure = {"Rollout": frozenset({"FAILED", "ROLLED_BACK"})}, "update"
    deleting, deleted = {"status": "DRAINING"}, {"status": "INACTIVE"}
    # ECS API reference, Service; `Rollout` and `Tasks` are derived from its deployments and counts.
    status_classes = (
        StatusClasses(
            "Rollout", in_lower_case("COMPLETED"), in_lower_case("IN_PROGRESS"), in_lower_case("FAILED ROLLED_BACK")
        ),
        StatusClasses("status", in_lower_case("ACTIVE"), gone=in_lower_case("DRAINING INACTIVE")),
        StatusClasses(
            "Tasks",
            in_lower_case("all"),
            in_lower_case("some"),
            in_lower_case("none"),
            when_missing="healthy",
            descriptions={"all": "as many tasks as it should", "some": "too few tasks", "none": "no task runs"},
        ),
    )
    immutable = frozenset({"serviceName", "cluster", "schedulingStrategy"})
    # UpdateService replaces each nested structure as a whole.
    replacing_calls = {"UpdateService": ""}
    unique_properties = ("cluster", "serviceName")
    field_owners = {
        "desiredCount": FieldOwner("autoscaling"),
        # Sent back, it would be ROLLING again, with the next tasks in a target group that gets no requests.
        "deploymentConfiguration": FieldOwner("whoever chose the deployment strategy {Strategy}", shown_by="Strategy"),
    }
    irreversible = {"loadBalancers": _why_target_group_is_fixed}
    lookup_properties = ("cluster",)
    not_found_codes = CLUSTER_NOT_FOUND | codes("ServiceNotFoundException", "ServiceNotActiveException")
    already_exists_codes = codes("InvalidParameterException: not idempotent")
    retryable_codes = {
        "create": ROLE_NOT_VISIBLE
        | codes(
            "InvalidParameterException: does not have an associated load balancer",
            "InvalidParameterException: still draining",
        ),
        "update": ROLE_NOT_VISIBLE | codes("InvalidParameterException: does not have an associated load balancer"),
        "delete": codes("InvalidParameterException: deployments are active", "DependencyViolation"),
    }
    # A rollout takes 1 to 4 min; draining lasts as long as the target group's deregistration delay.
    typical_create_seconds, typical_delete_seconds, timeout, stale_seconds = 60, 45, minutes(40), 2
    iam_type, arn_properties = "service", ("{cluster}", "{serviceName}")
    operations = declare_operations(
        read="DescribeServiceDeployments DescribeServices",
        create="CreateService",
        update="UpdateService",
        delete="DeleteService",
        failure="DescribeServiceDeployments DescribeTaskDefinition DescribeTasks ListServiceDeployments ListTasks",
        is_stale="DescribeServiceRevisions ListServiceDeployments",
    )

    def read(self, ecs: ECS, spec: ResourceSpec) -> JsonObject | None:
        """Return the service (DescribeServices) with the derived members `Rollout`, `Strategy`, `Waits`."""
        listed = describe_services(ecs, spec.id or spec.props["serviceName"], spec.props["cluster"])
        actual = next((actual for actual in listed if actual["serviceName"] == spec.props["serviceName"]), None)
        if actual is None:
            return None
        strategy = strategy_of(actual)
        return {
            **actual,
            **_newest_deployment_settings(actual),
            **({"Strategy": strategy} if strategy else {}),
            **read_awaited_hook(ecs, actual),
            "cluster": actual["clusterArn"],
            "Rollout": rollout_state(actual, spec.props.get("taskDefinition")),
            "Tags": mapping(actual.get("tags", [])),
        }

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Remove `advancedConfiguration` where ECS shifts no traffic: only ECS's own strategies read it."""
        if "loadBalancers" not in actual or strategy_of(actual):
            return actual
        balancers = [
            {key: balancer[key] for key in balancer if key != TRAFFIC_SHIFT_KEY} for balancer in actual["loadBalancers"]
        ]
        return {**actual, "loadBalancers": balancers}

    def read_status(self, ecs: ECS, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Add `Tasks`: whether all, some or none of the desired tasks run."""
        running, desired = actual.get("runningCount", 0), actual.get("desiredCount", 0)
        return {**actual, "Tasks": "all" if running >= desired else "some" if running else "none"}

    def create(self, ecs: ECS, spec: ResourceSpec) -> JsonObject:
        """Create the service with a client token of ours (CreateService)."""
        reply = ecs.create_service(**spec.props, clientToken=spec.token, tags=lower_case_pairs(spec.tags))
        return dict(reply["service"])

    def update(self, ecs: ECS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Update the service and start a deployment (UpdateService).

        Only a new task definition starts one unforced. A new capacity provider strategy must be forced
        (kayac/ecspresso#977).
        """
        ecs.update_service(
            cluster=spec.props["cluster"],
            service=spec.id,
            forceNewDeployment="taskDefinition" not in changed or "capacityProviderStrategy" in changed,
            **changed,
        )

    def delete(self, ecs: ECS, spec: ResourceSpec) -> None:
        """Delete the service with its tasks (DeleteService). Safe to repeat while it drains."""
        ecs.delete_service(cluster=spec.props["cluster"], service=spec.id, force=True)

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Add the old target groups until the phase LEAVE; in the phase JOIN only those that get requests."""
        (declared,) = desired["loadBalancers"]
        groups = {balancer.get("targetGroupArn") for balancer in actual.get("loadBalancers", [])}
        other_groups = groups - {declared["targetGroupArn"]}
        former_groups = sorted(other_groups & serving if phase is CutoverPhase.JOIN else other_groups)
        if not former_groups or phase >= CutoverPhase.LEAVE:
            return desired
        both = [declared, *({**declared, "targetGroupArn": arn} for arn in former_groups)]
        return {**desired, "loadBalancers": both}

    def failure(self, ecs: ECS, spec: ResourceSpec, actual: JsonObject) -> ProvisionerError:
        """Return the error of a failed deployment, with the stop reason, the exit code and the last log lines."""
        cluster, service = spec.props["cluster"], spec.props["serviceName"]
        diagnosis = diagnose(ecs, cluster, service)
        has_failed = diagnosis.status in FAILED_STATUSES
        revision = str(spec.props.get("taskDefinition", ""))
        # Somebody else deployed if the newest deployment is of another revision and has not failed.
        if diagnosis.status and not has_failed and (successor := superseding_deployment(actual, revision)):
            return Superseded(
                f"The deployment of {spec.aws_name} was superseded: "
                f"{successor.revision.rpartition('/')[2]} is to run now. ECS has not judged the image.",
                "Somebody else deploys, too: CloudTrail tells who called UpdateService. "
                "Run the same command again: it shows what it would change.",
            )
        if has_failed and is_newest_stopped_by_hand(ecs, cluster, service):
            message = f"The deployment of {spec.aws_name} was stopped: {diagnosis.description}"
            return RolledBack(message, STOPPED_BY_HAND_HINT, diagnosis.evidence)
        return RolledBack(
            f"The deployment of {spec.aws_name} failed: {diagnosis.description}",
            f"{diagnosis.remedy} Then run the same command again: it starts a new deployment.",
            diagnosis.evidence,
        )

    def required_resources(self, actual: JsonObject) -> Mapping[str, Refusal]:
        """Return the rules that ECS's strategy needs, and their listeners, with why they must stay."""
        return dict(rules_in_use(actual))

    def required_action(self, actual: JsonObject) -> str:
        """Return how to continue a deployment that waits at a lifecycle hook, or why it is unknown whether it waits."""
        return str(actual.get("Waits") or actual.get("Unheard", ""))

    def operation_in_progress(self, actual: JsonObject, desired: JsonObject) -> str:
        """Return which revision is being deployed, who asked for it, and at which hook it waits."""
        return describe_deployment_in_progress(actual, str(desired.get("taskDefinition", "")))

    def extra_seconds(self, actual: JsonObject) -> float:
        """Return how long ECS's traffic-shifting strategy takes: its steps and its bake time, in seconds."""
        return strategy_seconds(actual)

    def is_stale(self, ecs: ECS, spec: ResourceSpec, since: float) -> bool:
        """Return whether a deployment of this revision failed since `since`: then former settings may run."""
        cluster, service, revision = (spec.props[key] for key in ("cluster", "serviceName", "taskDefinition"))
        return has_failed_since(ecs, cluster, service, revision, since - _CLOCK_SKEW_SECONDS)


def _newest_deployment_settings(actual: JsonObject) -> JsonObject:
    """Return the settings of the service that AWS returns only with its newest deployment."""
    primary = primary_deployment(actual)
    return {key: primary[key] for key in _DEPLOYMENT_SETTINGS if key in primary}
