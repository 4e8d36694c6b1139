"""Application Auto Scaling: the scalable target of a service, and its target tracking policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from itertools import combinations
from typing import Any

from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject, value_at
from provisioner.engine.types.charges import FREE, Pricing
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources import scaling_alarms
from provisioner.resources.field_owners.ecs import SCALABLE_TARGET, SCALING_POLICY
from provisioner.resources.tags import read_tags
from provisioner.service_clients import ApplicationAutoScaling

_TARGET_KEYS = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# botocore application-autoscaling: how many targets or policies one call may name.
_NAMES_PER_CALL = 50
# botocore application-autoscaling SuspendedState: the scaling activities that can be suspended, false by
# default.
_ACTIVITIES = {
    "DynamicScalingInSuspended": "scaling in",
    "DynamicScalingOutSuspended": "scaling out",
    "ScheduledScalingSuspended": "scheduled scaling",
}
RESUMED: JsonObject = dict.fromkeys(_ACTIVITIES, False)
_NOTHING_SUSPENDED = "nothing"
_SUSPENDED_DESCRIPTIONS = {
    ", ".join(some): f"suspended ({', '.join(some)})"
    for count in range(1, len(_ACTIVITIES) + 1)
    for some in combinations(_ACTIVITIES.values(), count)
}
# botocore application-autoscaling ScalableTargetAction: the limits that a scheduled action sets on a target.
_LIMITS = {"MinCapacity": "minimum", "MaxCapacity": "maximum"}
# Why an unmanaged scaling policy or scheduled action is only reported.
_POLICY_REASON = "of all policies the one that wants the most tasks wins"
_ACTION_REASON = "it acts at its own time, and the next apply sets back what it has set"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
_NOT_FOUND = codes("ObjectNotFoundException")
# terraform-provider-aws appautoscaling/target.go and policy.go: 2 min.
_NOT_VISIBLE_YET = codes(
    "ValidationException: service doesn't exist",
    "ValidationException: unable to assume iam role",
    "ObjectNotFoundException",
    "ConcurrentUpdateException",
    "FailedResourceAccessException: rate exceeded",
    "FailedResourceAccessException: is not authorized to perform",
    "FailedResourceAccessException: token included in the request is invalid",
)
_RETRYABLE_CODES = {
    "create": _NOT_VISIBLE_YET,
    "update": _NOT_VISIBLE_YET,
    "delete": codes("ConcurrentUpdateException"),
}


class ScalableTarget(ResourceType):
    """A scalable target: the minimum and maximum of a service's task count."""

    deleted_at_reply = True
    service, id_paths, noun = "application-autoscaling", "ResourceId", "scaling"
    pricing = FREE
    ownership = SCALABLE_TARGET
    immutable = frozenset(_TARGET_KEYS)
    lookup_properties = ("ResourceId",)
    unique_properties = _TARGET_KEYS
    # The scaling activities that somebody suspended; `read` adds them.
    status_classes = (
        StatusClasses(
            "Scaling",
            frozenset({_NOTHING_SUSPENDED}),
            unhealthy=frozenset(_SUSPENDED_DESCRIPTIONS),
            when_missing="healthy",
            descriptions={_NOTHING_SUSPENDED: "nothing suspended", **_SUSPENDED_DESCRIPTIONS},
        ),
    )
    # AWS deletes it with its service. A target made in the console has no tags.
    adopts_untagged = True
    not_found_codes = _NOT_FOUND
    retryable_codes = _RETRYABLE_CODES
    iam_type = "ScalableTarget"
    operations = declare_operations(
        unmanaged="DescribeScalingPolicies DescribeScheduledActions",
        read="DescribeScalableTargets ListTagsForResource",
        create="RegisterScalableTarget",
        update="RegisterScalableTarget",
        retag="TagResource UntagResource DescribeScalableTargets ListTagsForResource",
        delete="DeregisterScalableTarget",
    )

    def read(self, scaling: ApplicationAutoScaling, spec: ResourceSpec) -> JsonObject | None:
        """Read the target and its tags; one call reads all targets that are being read together."""
        own = spec.props["ResourceId"]
        listed = scaling.describe_scalable_targets(
            ServiceNamespace=spec.props["ServiceNamespace"],
            ResourceIds=scaling.batch_scope.batch(own, "ScalableTarget", most=_NAMES_PER_CALL),
        )["ScalableTargets"]
        targets = [actual for actual in listed if actual["ResourceId"] == own]
        if not targets:
            return None
        arn = targets[0]["ScalableTargetARN"]
        tags = read_tags(scaling, spec, arn, lambda: _list_tags(scaling, arn))
        return {**with_suspended_state(targets[0]), "Tags": tags}

    def create(self, scaling: ApplicationAutoScaling, spec: ResourceSpec) -> JsonObject:
        """Create the target with RegisterScalableTarget."""
        scaling.register_scalable_target(**spec.props, Tags=dict(spec.tags))
        return dict(spec.props)

    def update(self, scaling: ApplicationAutoScaling, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the target with RegisterScalableTarget, which is an upsert."""
        scaling.register_scalable_target(**spec.props)

    def retag(
        self, scaling: ApplicationAutoScaling, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]
    ) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = (self.read(scaling, spec) or {})["ScalableTargetARN"]
        if put:
            scaling.tag_resource(ResourceARN=arn, Tags=dict(put))
        if removed_keys := list(drop):
            scaling.untag_resource(ResourceARN=arn, TagKeys=removed_keys)

    def unmanaged(
        self, scaling: ApplicationAutoScaling, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the scaling policies and scheduled actions that the stack does not declare."""
        target = {key: spec.props[key] for key in ("ServiceNamespace", "ResourceId")}
        names = children.values("PolicyName")
        policies = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
        undeclared = (policy for policy in policies if policy["PolicyName"] not in names)
        actions = scaling.describe_scheduled_actions(**target)["ScheduledActions"]
        return [
            *(Unmanaged(f"scaling policy {policy['PolicyName']}", policy, _POLICY_REASON) for policy in undeclared),
            *(Unmanaged(describe_scheduled_action(action), action, _ACTION_REASON) for action in actions),
        ]

    def delete(self, scaling: ApplicationAutoScaling, spec: ResourceSpec) -> None:
        """Deregister the target; AWS deletes its policies and their alarms with it."""
        scaling.deregister_scalable_target(**{key: spec.props[key] for key in _TARGET_KEYS})


def describe_scheduled_action(action: JsonObject) -> str:
    """Describe a scheduled action in a phrase: its name, its schedule, and the limits that it sets."""
    limits = action.get("ScalableTargetAction") or {}
    settings = (f"{limit_name} {limits[key]}" for key, limit_name in _LIMITS.items() if key in limits)
    zone = f" {action['Timezone']}" if action.get("Timezone") else ""
    return f"scheduled action {action['ScheduledActionName']}, {action['Schedule']}{zone}: {', '.join(settings)}"


def with_suspended_state(target: JsonObject) -> JsonObject:
    """Return a target with its full SuspendedState, and `Scaling`, a phrase that says what is suspended."""
    suspended = {**RESUMED, **(target.get("SuspendedState") or {})}
    activities = ", ".join(_ACTIVITIES.get(name, name) for name, is_suspended in suspended.items() if is_suspended)
    return {**target, "SuspendedState": suspended, "Scaling": activities or _NOTHING_SUSPENDED}


def _list_tags(scaling: ApplicationAutoScaling, arn: str) -> dict[str, str] | None:
    """Return the target's tags; None, so that none are compared, if an emulator lacks the call."""
    return default_if_unsupported(lambda: dict(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"]), None)


class ScalingPolicy(ResourceType):
    """A target tracking policy; AWS creates and maintains its CloudWatch alarms."""

    # Application Auto Scaling API reference, DeregisterScalableTarget: it deletes the policies of the target.
    container_property, deleted_with_container, deleted_at_reply = "ResourceId", True, True
    service, id_paths = "application-autoscaling", ("ResourceId", "PolicyName")
    # Target tracking creates an alarm to scale out and one to scale in (Application Auto Scaling user guide).
    pricing = Pricing.monthly("alarms", "alarm_month", 2)
    ownership = SCALING_POLICY
    name_property, noun = "PolicyName", "requests"
    tagged = False
    # The policy scales only when its alarms call it. If they are deleted or no longer call it, it is put
    # again.
    status_classes = (scaling_alarms.STATUS_CLASSES,)
    failed, on_failure = {"Tracking": scaling_alarms.STATUS_CLASSES.unhealthy}, "update"
    plans_with_status_reads = True
    unique_properties = (*_TARGET_KEYS, "PolicyName")
    immutable = frozenset({*_TARGET_KEYS, "PolicyName", "PolicyType"})
    replacing_calls = {"PutScalingPolicy": ""}
    # A policy tracks one of the two.
    alternatives = frozenset(f"{_TRACKING}.{word}MetricSpecification" for word in ("Customized", "Predefined"))
    lookup_properties = ("ResourceId",)
    not_found_codes = _NOT_FOUND
    retryable_codes = _RETRYABLE_CODES
    iam_type = "ScalableTarget"
    operations = declare_operations(
        read="DescribeScalingPolicies",
        read_status="DescribeScalingPolicies",
        create="PutScalingPolicy",
        update="PutScalingPolicy",
        delete="DeleteScalingPolicy",
    )

    def read(self, scaling: ApplicationAutoScaling, spec: ResourceSpec) -> JsonObject | None:
        """Find the policy of this name and resource with DescribeScalingPolicies."""
        keys = {key: spec.props[key] for key in ("ResourceId", "PolicyName")}
        return next((actual for actual in read_policies(scaling, spec) if keys.items() <= actual.items()), None)

    def read_status(self, scaling: ApplicationAutoScaling, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Add `Tracking`, the state of the policy's alarms; one DescribeAlarms call serves all policies."""
        alarms = scaling_alarms.read_alarms(scaling, read_policies(scaling, spec))
        return {**actual, "Tracking": scaling_alarms.tracking_status(actual, alarms)}

    def create(self, scaling: ApplicationAutoScaling, spec: ResourceSpec) -> JsonObject:
        """Create the policy with PutScalingPolicy."""
        scaling.put_scaling_policy(**spec.props)
        return dict(spec.props)

    def update(self, scaling: ApplicationAutoScaling, spec: ResourceSpec, changed: JsonObject) -> None:
        """Put the policy again with PutScalingPolicy, an upsert that also recreates missing alarms."""
        scaling.put_scaling_policy(**spec.props)

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the policy that is right in one phase of a cutover: from FOLLOW on it tracks the new target group."""
        if phase >= CutoverPhase.FOLLOW or _tracked_label(actual) == _tracked_label(desired):
            return desired
        return {**desired, _TRACKING: actual[_TRACKING]}

    def delete(self, scaling: ApplicationAutoScaling, spec: ResourceSpec) -> None:
        """Delete the policy; AWS deletes its alarms with it."""
        policy_keys = {key: spec.props[key] for key in (*_TARGET_KEYS, "PolicyName")}
        scaling.delete_scaling_policy(**policy_keys)


def read_policies(scaling: ApplicationAutoScaling, spec: ResourceSpec) -> list[JsonObject]:
    """Return all policies that are being read together, with one DescribeScalingPolicies call."""
    names = scaling.batch_scope.batch(spec.props["PolicyName"], "ScalingPolicy", by="name", most=_NAMES_PER_CALL)
    reply = scaling.describe_scaling_policies(ServiceNamespace=spec.props["ServiceNamespace"], PolicyNames=names)
    return list(reply["ScalingPolicies"])


def _tracked_label(actual: JsonObject) -> Any:
    return value_at(actual, f"{_TRACKING}.PredefinedMetricSpecification.ResourceLabel")
