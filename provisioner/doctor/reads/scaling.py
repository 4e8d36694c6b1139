"""Reads of autoscaling: scalable targets, policies, scheduled actions, and the policies' alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from botocore.exceptions import ClientError

from provisioner.doctor.check import JsonObject, NotApplicable
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.reads.tasks import read_services
from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.engine.execution.managed_resource import CONSISTENCY_SECONDS
from provisioner.engine.types.health_status import ResourceHealth, health_of
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.autoscaling import with_suspended_state
from provisioner.resources.ecs.overrides import overrides_of
from provisioner.resources.scaling_alarms import read_alarms, tracking_status
from provisioner.service_clients import ApplicationAutoScaling, CloudWatch
from provisioner.settings.ineffective import SERVICE, minimum_setting

# The calls of this module by service; `policy` grants them.
CALLS = {"application-autoscaling": ("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions")}
# botocore application-autoscaling DescribeScalableTargets: the number of targets in one call.
_MAX_TARGETS = 50
# Who set the minimum number of tasks of a service: the remedy depends on it.
BY_SCALE, BY_SETTINGS, BY_HAND = "scale", "settings", "hand"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
# A metric per running task: with no task it has no values.
_REQUESTS_PER_TARGET = "ALBRequestCountPerTarget"


@dataclass(frozen=True)
class ScaledService:
    """A service with autoscaling: what is suspended, its policies' health, and whether it stays at 0."""

    service: str
    suspended: ResourceHealth
    policies: tuple[tuple[str, ResourceHealth], ...]
    # Whether its minimum is 0, and nothing starts a task when none runs.
    stays_at_zero: bool
    # The scheduled actions that end its last task, if nothing starts one again.
    ending_actions: tuple[JsonObject, ...]
    # The setting of its minimum, its name for `--service`, and who set the minimum.
    minimum_setting: str
    service_option: str
    minimum_set_by: str = BY_SETTINGS


@dataclass(frozen=True)
class MinimumTasks:
    """The minimum number of tasks of a service, and who set it."""

    count: int
    set_by: str = BY_SETTINGS


def read_minimum_tasks(context: DoctorContext) -> MinimumTasks:
    """Return the minimum of the main service (DescribeScalableTargets).

    If AWS denies the read, or the service has no autoscaling, it is the desired count in the state.
    """
    service = context.aws_name("service")
    try:
        target = next(_read_scalable_targets(context, [f"service/{context.aws_name('cluster')}/{service}"]), None)
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        target = None
    if target is None:
        service_state = context.state.resources.get(SERVICE) if context.state else None
        desired = service_state.desired if service_state else {}
        return MinimumTasks(int(desired.get("desiredCount", 1)))
    count = int(target["MinCapacity"])
    return MinimumTasks(count, BY_SETTINGS if count else _minimum_setter(context, target, service))


def read_scaled_services(context: DoctorContext) -> list[ScaledService]:
    """Return the services with autoscaling: their targets, policies, scheduled actions and alarms.

    Raises:
        NotApplicable: No service has autoscaling.

    """
    cluster = context.aws_name("cluster")
    names = [service["serviceName"] for service in read_services(context)]
    targets = list(_read_scalable_targets(context, sorted(f"service/{cluster}/{name}" for name in names)))
    if not targets:
        raise NotApplicable("no service is scaled")
    policies = {target["ResourceId"]: _read_policies(context, target["ResourceId"]) for target in targets}
    alarms = read_alarms(context.clients.client(CloudWatch), chain.from_iterable(policies.values()))
    return [_scaled_service(context, target, policies[target["ResourceId"]], alarms) for target in targets]


def _read_scalable_targets(context: DoctorContext, resource_ids: list[str]) -> Iterator[JsonObject]:
    """Yield the scalable targets of services by their resource ids."""
    scaling = context.clients.client(ApplicationAutoScaling)
    for start in range(0, len(resource_ids), _MAX_TARGETS):
        batch = resource_ids[start : start + _MAX_TARGETS]
        response = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=batch)
        yield from response["ScalableTargets"]


def _read_policies(context: DoctorContext, resource_id: str) -> list[JsonObject]:
    """Return the scaling policies of a service."""
    scaling = context.clients.client(ApplicationAutoScaling)
    response = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource_id)
    return list(response["ScalingPolicies"])


def _scaled_service(
    context: DoctorContext, target: JsonObject, policies: list[JsonObject], alarms: dict[str, JsonObject]
) -> ScaledService:
    """Return what is known of the autoscaling of one service.

    Args:
        context: The stack.
        target: The scalable target of the service.
        policies: The scaling policies of the service.
        alarms: The alarms of all policies, by name.

    """
    service = target["ResourceId"].rpartition("/")[2]
    service_option = _service_option(context, service)
    is_known = bool(service_option) or service == context.aws_name(SERVICE)
    actions = _read_scheduled_actions(context, target["ResourceId"])
    raises_minimum = any(_action_limits(action).get("MinCapacity") for action in actions)
    needs_running_task = all(_predefined_metric(policy) == _REQUESTS_PER_TARGET for policy in policies)
    nothing_starts_a_task = needs_running_task and not raises_minimum
    stays_at_zero = nothing_starts_a_task and not target["MinCapacity"]
    pending = [] if raises_minimum else [action for action in actions if _is_pending(context, action)]
    return ScaledService(
        service,
        health_of(RESOURCE_TYPES["ScalableTarget"], with_suspended_state(target)),
        tuple(
            (policy["PolicyName"], _policy_health(policy, alarms))
            for policy in policies
            if _TRACKING in policy and not _alarms_may_be_hidden(context, policy)
        ),
        stays_at_zero,
        tuple(action for action in pending if _leaves_no_task(action, nothing_starts_a_task)),
        minimum_setting(service_option) if is_known else "its minimum",
        service_option,
        _minimum_setter(context, target, service) if stays_at_zero else BY_SETTINGS,
    )


def _policy_health(policy: JsonObject, alarms: dict[str, JsonObject]) -> ResourceHealth:
    """Return the health of a scaling policy, which is that of its alarms."""
    return health_of(RESOURCE_TYPES["ScalingPolicy"], {**policy, "Tracking": tracking_status(policy, alarms)})


def _minimum_setter(context: DoctorContext, target: JsonObject, service: str) -> str:
    """Return who set the minimum of 0: `scale`, by the service's tag, or else the last applied settings.

    If the last applied minimum is another one, somebody set it by hand.
    """
    if overrides_of(context.clients, context.aws_name("cluster"), service).counts is not None:
        return BY_SCALE
    resource_states = context.state.resources.values() if context.state else ()
    applied_minimums = (
        resource_state.desired.get("MinCapacity")
        for resource_state in resource_states
        if resource_state.desired.get("ResourceId") == target["ResourceId"]
    )
    return BY_HAND if next(applied_minimums, 0) else BY_SETTINGS


def _read_scheduled_actions(context: DoctorContext, resource_id: str) -> list[JsonObject]:
    """Return the scheduled actions of a service."""
    scaling = context.clients.client(ApplicationAutoScaling)
    response = scaling.describe_scheduled_actions(ServiceNamespace="ecs", ResourceId=resource_id)
    return list(response["ScheduledActions"])


def _leaves_no_task(action: JsonObject, nothing_starts_a_task: bool) -> bool:
    """Return whether a scheduled action leaves no task.

    That is so if its maximum is 0. It is also so if its minimum is 0 and nothing starts a task again.
    """
    limits = _action_limits(action)
    return limits.get("MaxCapacity") == 0 or (nothing_starts_a_task and limits.get("MinCapacity") == 0)


def _is_pending(context: DoctorContext, action: JsonObject) -> bool:
    """Return whether a scheduled action may still happen: its end is not past, or it has none."""
    end = action.get("EndTime")
    return end is None or end.timestamp() > context.now


def _action_limits(action: JsonObject) -> JsonObject:
    """Return the minimum and maximum that a scheduled action sets."""
    return action.get("ScalableTargetAction") or {}


def _predefined_metric(policy: JsonObject) -> str:
    """Return the predefined metric of a policy; "" if it has none."""
    specification = (policy.get(_TRACKING) or {}).get("PredefinedMetricSpecification", {})
    return str(specification.get("PredefinedMetricType", ""))


def _alarms_may_be_hidden(context: DoctorContext, policy: JsonObject) -> bool:
    """Return whether a policy's alarms may be missing: it is seconds old, or an emulator creates none."""
    connection = context.clients.aws
    age = context.now - policy["CreationTime"].timestamp()
    return not connection.is_faithful or age < connection.consistency_window(CONSISTENCY_SECONDS)


def _service_option(context: DoctorContext, service: str) -> str:
    """Return the name of a service for `--service`; "" for the main one, and for one not in the state."""
    resource_states = context.state.resources if context.state else {}
    logical_ids = (
        logical_id
        for logical_id, resource_state in resource_states.items()
        if resource_state.type_name == "Service" and resource_state.aws_name == service
    )
    return next(logical_ids, SERVICE).removeprefix(SERVICE).removeprefix(".")
