"""Reads of autoscaling: scalable targets, policies, scheduled actions, and the policies' alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import JsonObject, NotApplicable
from provisioner.doctor.reads.tasks import services
from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.engine.execution.managed_resource import CONSISTENCY_SECONDS
from provisioner.engine.types.health_status import ResourceHealth, health_of
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.autoscaling import with_suspended_state
from provisioner.resources.ecs.overrides import overrides_of
from provisioner.resources.scaling_alarms import read_alarms, tracking_status
from provisioner.settings.ineffective import SERVICE, setting_of

# The calls of this module by service; `policy` grants them.
CALLS = {
    "application-autoscaling": (
        "DescribeScalableTargets",
        "DescribeScalingPolicies",
        "DescribeScheduledActions",
    )
}
# botocore application-autoscaling DescribeScalableTargets: the number of targets in one call.
_MOST = 50
# Who set the minimum number of tasks of a service: the remedy depends on it.
BY_SCALE, BY_SETTINGS, BY_HAND = "scale", "settings", "hand"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
# A metric per running task: with no task it has no values.
_PER_TASK = "ALBRequestCountPerTarget"


@dataclass(frozen=True)
class ScaledService:
    """A service with autoscaling: what is suspended, its policies' health, and whether it stays at 0."""

    service: str
    suspended: ResourceHealth
    policies: tuple[tuple[str, ResourceHealth], ...]
    # Whether its minimum is 0, and nothing starts a task when none runs.
    sleeps: bool
    # The scheduled actions that end its last task, if nothing starts one again.
    ending: tuple[JsonObject, ...]
    # The setting of its minimum, its name for `--service`, and who set the minimum.
    setting: str
    title: str
    held: str = BY_SETTINGS


@dataclass(frozen=True)
class MinimumTasks:
    """The minimum number of tasks of a service, and who set it."""

    count: int
    held: str = BY_SETTINGS


def minimum_tasks(context: DoctorContext) -> MinimumTasks:
    """Return the minimum of the main service (DescribeScalableTargets).

    If AWS denies the read, or the service has no autoscaling, it is the desired count in the state.
    """
    service = context.aws_name("service")
    try:
        target = next(_targets(context, [f"service/{context.aws_name('cluster')}/{service}"]), None)
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        target = None
    if target is None:
        known_state = context.document.resources.get(SERVICE) if context.document else None
        return MinimumTasks(int((known_state.desired if known_state else {}).get("desiredCount", 1)))
    count = int(target["MinCapacity"])
    return MinimumTasks(count, BY_SETTINGS if count else _holder(context, target, service))


def scaled_services(context: DoctorContext) -> list[ScaledService]:
    """Return the services with autoscaling: their targets, policies, scheduled actions and alarms.

    Raises:
        Unset: No service has autoscaling.

    """
    names = {
        f"service/{context.aws_name('cluster')}/{one['serviceName']}": one["serviceName"] for one in services(context)
    }
    targets = list(_targets(context, sorted(names)))
    if not targets:
        raise NotApplicable("no service is scaled")
    listed = {one["ResourceId"]: _policies(context, one["ResourceId"]) for one in targets}
    there = read_alarms(context.clients.client("cloudwatch"), (policy for found in listed.values() for policy in found))
    return [_scaled(context, one, names[id_], listed[id_], there) for one in targets if (id_ := one["ResourceId"])]


def _targets(context: DoctorContext, ids: list[str]) -> Iterator[JsonObject]:
    """Yield the scalable targets of services by their resource ids."""
    scaling = context.clients.client("application-autoscaling")
    for at in range(0, len(ids), _MOST):
        some = ids[at : at + _MOST]
        told = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=some)
        yield from told["ScalableTargets"]


def _policies(context: DoctorContext, resource: str) -> list[JsonObject]:
    """Return the scaling policies of a service."""
    scaling = context.clients.client("application-autoscaling")
    told = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)
    return list(told["ScalingPolicies"])


def _scaled(
    context: DoctorContext, target: JsonObject, service: str, policies: list[JsonObject], there: dict[str, JsonObject]
) -> ScaledService:
    """Return what is known of the autoscaling of one service."""
    title = _title(context, service)
    actions = _actions(context, target["ResourceId"])
    is_woken = any(_limits(one).get("MinCapacity") for one in actions)
    from_0 = not is_woken and all(_metric(one) == _PER_TASK for one in policies)
    is_known = bool(title) or service == context.aws_name(SERVICE)
    sleeps = not target["MinCapacity"] and from_0
    return ScaledService(
        service,
        health_of(RESOURCE_TYPES["ScalableTarget"], with_suspended_state(target)),
        tuple(
            (
                one["PolicyName"],
                health_of(RESOURCE_TYPES["ScalingPolicy"], {**one, "Tracking": tracking_status(one, there)}),
            )
            for one in policies
            if _TRACKING in one and not _may_be_hidden(context, one)
        ),
        sleeps,
        () if is_woken else tuple(one for one in actions if _is_to_come(context, one) and _ends(one, from_0)),
        setting_of(title) if is_known else "its minimum",
        title,
        _holder(context, target, service) if sleeps else BY_SETTINGS,
    )


def _holder(context: DoctorContext, target: JsonObject, service: str) -> str:
    """Return who set the minimum of 0: `scale`, by the service's tag, or else the last applied settings.

    If the last applied minimum is another one, somebody set it by hand.
    """
    if overrides_of(context.clients, context.aws_name("cluster"), service).counts is not None:
        return BY_SCALE
    resource_states = context.document.resources.values() if context.document else ()
    applied = (
        one.desired.get("MinCapacity")
        for one in resource_states
        if one.desired.get("ResourceId") == target["ResourceId"]
    )
    return BY_HAND if next(applied, 0) else BY_SETTINGS


def _actions(context: DoctorContext, resource: str) -> list[JsonObject]:
    """Return the scheduled actions of a service."""
    scaling = context.clients.client("application-autoscaling")
    told = scaling.describe_scheduled_actions(ServiceNamespace="ecs", ResourceId=resource)
    return list(told["ScheduledActions"])


def _ends(action: JsonObject, from_0: bool) -> bool:
    """Return whether a scheduled action leaves no task.

    That is so if its maximum is 0, or if its minimum is 0 and, with `from_0`, nothing starts a task again.
    """
    limits = _limits(action)
    return limits.get("MaxCapacity") == 0 or (from_0 and limits.get("MinCapacity") == 0)


def _is_to_come(context: DoctorContext, action: JsonObject) -> bool:
    """Return whether a scheduled action may still happen: its end is not past, or it has none."""
    end = action.get("EndTime")
    return end is None or end.timestamp() > context.now


def _limits(action: JsonObject) -> JsonObject:
    """Return the minimum and maximum that a scheduled action sets."""
    return action.get("ScalableTargetAction") or {}


def _metric(policy: JsonObject) -> str:
    """Return the predefined metric of a policy; "" if it has none."""
    told = (policy.get(_TRACKING) or {}).get("PredefinedMetricSpecification", {})
    return str(told.get("PredefinedMetricType", ""))


def _may_be_hidden(context: DoctorContext, policy: JsonObject) -> bool:
    """Return whether a policy's alarms may be missing: it is seconds old, or an emulator creates none."""
    connection = context.clients.aws
    return not connection.is_faithful or context.now - policy[
        "CreationTime"
    ].timestamp() < connection.consistency_window(CONSISTENCY_SECONDS)


def _title(context: DoctorContext, service: str) -> str:
    """Return the name of a service for `--service`; "" for the main one, and for one not in the state."""
    resource_states = context.document.resources if context.document else {}
    logical_ids = (
        logical_id
        for logical_id, one in resource_states.items()
        if one.type_name == "Service" and one.aws_name == service
    )
    return next(logical_ids, SERVICE).removeprefix(SERVICE).removeprefix(".")
