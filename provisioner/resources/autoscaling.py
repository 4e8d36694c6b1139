"""Application Auto Scaling: the scalable target of a service, and its target tracking policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from itertools import combinations
from typing import Any

from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject, value_at
from provisioner.engine.types.data import CutoverPhase, codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources import scaling_alarms
from provisioner.resources.ownership.ecs import SCALABLE_TARGET, SCALING_POLICY
from provisioner.resources.tagging import read_tags

_WHICH = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# botocore application-autoscaling: how many targets or policies one call may name.
_MOST = 50
# botocore application-autoscaling SuspendedState: the scaling activities that can be suspended, false by
# default.
_PARTS = {
    "DynamicScalingInSuspended": "scaling in",
    "DynamicScalingOutSuspended": "scaling out",
    "ScheduledScalingSuspended": "scheduled scaling",
}
RESUMED: JsonObject = dict.fromkeys(_PARTS, False)
_NOTHING = "nothing"
_SUSPENDED = {
    ", ".join(some): f"suspended ({', '.join(some)})"
    for count in range(1, len(_PARTS) + 1)
    for some in combinations(_PARTS.values(), count)
}
# botocore application-autoscaling ScalableTargetAction: the limits that a scheduled action sets on a target.
_LIMITS = {"MinCapacity": "minimum", "MaxCapacity": "maximum"}
_AT_ITS_TIME = "it acts at its own time, and the next apply sets back what it has set"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
_GONE = codes("ObjectNotFoundException")
# terraform-provider-aws appautoscaling/target.go and policy.go: 2 min.
_YOUNG = codes(
    "ValidationException: service doesn't exist",
    "ValidationException: unable to assume iam role",
    "ObjectNotFoundException",
    "ConcurrentUpdateException",
    "FailedResourceAccessException: rate exceeded",
    "FailedResourceAccessException: is not authorized to perform",
    "FailedResourceAccessException: token included in the request is invalid",
)


class ScalableTarget(ResourceType):
    """A scalable target: the minimum and maximum of a service's task count."""

    service, id_paths, noun = "application-autoscaling", "ResourceId", "scaling"
    ownership = SCALABLE_TARGET
    immutable = frozenset(_WHICH)
    lookup_properties = ("ResourceId",)
    unique_properties = _WHICH
    # The scaling activities that somebody suspended; `read` adds them.
    status_classes = (
        StatusClasses(
            "Scaling",
            frozenset({_NOTHING}),
            unhealthy=frozenset(_SUSPENDED),
            when_missing="healthy",
            descriptions={_NOTHING: "nothing suspended", **_SUSPENDED},
        ),
    )
    # AWS deletes it with its service. A target made in the console has no tags.
    adopts_untagged = True
    not_found_codes = _GONE
    retryable_codes = {"create": _YOUNG, "update": _YOUNG, "delete": codes("ConcurrentUpdateException")}
    iam_type = "ScalableTarget"
    operations = declare_operations(
        unmanaged="DescribeScalingPolicies DescribeScheduledActions",
        read="DescribeScalableTargets ListTagsForResource",
        create="RegisterScalableTarget",
        update="RegisterScalableTarget",
        retag="TagResource UntagResource DescribeScalableTargets ListTagsForResource",
        delete="DeregisterScalableTarget",
    )

    def read(self, scaling: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the target and its tags; one call reads all targets that are being read together."""
        own = spec.props["ResourceId"]
        listed = scaling.describe_scalable_targets(
            ServiceNamespace=spec.props["ServiceNamespace"],
            ResourceIds=scaling.batch_scope.batch(own, "ScalableTarget", most=_MOST),
        )["ScalableTargets"]
        found = [actual for actual in listed if actual["ResourceId"] == own]
        if not found:
            return None
        arn = found[0]["ScalableTargetARN"]
        return {**with_suspended(found[0]), "Tags": read_tags(scaling, spec, arn, lambda: _tags(scaling, arn))}

    def create(self, scaling: Any, spec: ResourceSpec) -> JsonObject:
        """Create the target with RegisterScalableTarget."""
        scaling.register_scalable_target(**spec.props, Tags=dict(spec.tags))
        return dict(spec.props)

    def update(self, scaling: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change the target with RegisterScalableTarget, which is an upsert."""
        scaling.register_scalable_target(**spec.props)

    def retag(self, scaling: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = (self.read(scaling, spec) or {})["ScalableTargetARN"]
        if put:
            scaling.tag_resource(ResourceARN=arn, Tags=dict(put))
        if gone := list(drop):
            scaling.untag_resource(ResourceARN=arn, TagKeys=gone)

    def unmanaged(
        self, scaling: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the scaling policies and scheduled actions that the stack does not declare."""
        which = {key: spec.props[key] for key in ("ServiceNamespace", "ResourceId")}
        names = children.values("PolicyName")
        listed = scaling.describe_scaling_policies(**which)["ScalingPolicies"]
        others = (one for one in listed if one["PolicyName"] not in names)
        stays = "of all policies the one that wants the most tasks wins"
        found = [Unmanaged(f"scaling policy {one['PolicyName']}", one, stays) for one in others]
        actions = scaling.describe_scheduled_actions(**which)["ScheduledActions"]
        return [*found, *(Unmanaged(scheduled(one), one, _AT_ITS_TIME) for one in actions)]

    def delete(self, scaling: Any, spec: ResourceSpec) -> None:
        """Deregister the target; AWS deletes its policies and their alarms with it."""
        scaling.deregister_scalable_target(**{key: spec.props[key] for key in _WHICH})


def scheduled(action: JsonObject) -> str:
    """Describe a scheduled action in a phrase: its name, its schedule, and the limits that it sets."""
    limits = action.get("ScalableTargetAction") or {}
    sets = (f"{word} {limits[key]}" for key, word in _LIMITS.items() if key in limits)
    zone = f" {action['Timezone']}" if action.get("Timezone") else ""
    return f"scheduled action {action['ScheduledActionName']}, {action['Schedule']}{zone}: {', '.join(sets)}"


def with_suspended(target: JsonObject) -> JsonObject:
    """Return a target with its full SuspendedState, and `Scaling`, a phrase that says what is suspended."""
    suspended = {**RESUMED, **(target.get("SuspendedState") or {})}
    parts = ", ".join(_PARTS.get(member, member) for member, is_off in suspended.items() if is_off)
    return {**target, "SuspendedState": suspended, "Scaling": parts or _NOTHING}


def _tags(scaling: Any, arn: str) -> dict[str, str] | None:
    """Return the target's tags; None, so that none are compared, if an emulator lacks the call."""
    return default_if_unsupported(lambda: dict(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"]), None)


class ScalingPolicy(ResourceType):
    """A target tracking policy; AWS creates and maintains its CloudWatch alarms."""

    service, id_paths = "application-autoscaling", ("ResourceId", "PolicyName")
    ownership = SCALING_POLICY
    name_property, noun = "PolicyName", "requests"
    tagged = False
    # The policy scales only when its alarms call it. If they are deleted or no longer call it, it is put
    # again.
    status_classes = (scaling_alarms.STATES,)
    failed, on_failure = {"Tracking": scaling_alarms.STATES.unhealthy}, "update"
    plans_with_status_reads = True
    unique_properties = (*_WHICH, "PolicyName")
    immutable = frozenset({*_WHICH, "PolicyName", "PolicyType"})
    replacing_calls = {"PutScalingPolicy": ""}
    # A policy tracks one of the two.
    alternatives = frozenset(f"{_TRACKING}.{one}MetricSpecification" for one in ("Customized", "Predefined"))
    lookup_properties = ("ResourceId",)
    not_found_codes = _GONE
    retryable_codes = {"create": _YOUNG, "update": _YOUNG, "delete": codes("ConcurrentUpdateException")}
    iam_type = "ScalableTarget"
    operations = declare_operations(
        read="DescribeScalingPolicies",
        read_status="DescribeScalingPolicies",
        create="PutScalingPolicy",
        update="PutScalingPolicy",
        delete="DeleteScalingPolicy",
    )

    def read(self, scaling: Any, spec: ResourceSpec) -> JsonObject | None:
        """Find the policy of this name and resource with DescribeScalingPolicies."""
        mine = (actual for actual in _policies(scaling, spec) if actual["ResourceId"] == spec.props["ResourceId"])
        return next((actual for actual in mine if actual["PolicyName"] == spec.props["PolicyName"]), None)

    def read_status(self, scaling: Any, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Add `Tracking`, the state of the policy's alarms; one DescribeAlarms call serves all policies."""
        standing = scaling_alarms.alarms_of(scaling, _policies(scaling, spec))
        return {**actual, "Tracking": scaling_alarms.tracking(actual, standing)}

    def create(self, scaling: Any, spec: ResourceSpec) -> JsonObject:
        """Create the policy with PutScalingPolicy."""
        scaling.put_scaling_policy(**spec.props)
        return dict(spec.props)

    def update(self, scaling: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Put the policy again with PutScalingPolicy, an upsert that also recreates missing alarms."""
        scaling.put_scaling_policy(**spec.props)

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the desired policy, but until the FOLLOW phase with the target group that it tracks now."""
        if phase >= CutoverPhase.FOLLOW or _label(actual) == _label(desired):
            return desired
        return {**desired, _TRACKING: actual[_TRACKING]}

    def delete(self, scaling: Any, spec: ResourceSpec) -> None:
        """Delete the policy; AWS deletes its alarms with it."""
        which = {key: spec.props[key] for key in (*_WHICH, "PolicyName")}
        scaling.delete_scaling_policy(**which)


def _policies(scaling: Any, spec: ResourceSpec) -> list[JsonObject]:
    """Return all policies that are being read together, with one DescribeScalingPolicies call."""
    names = scaling.batch_scope.batch(spec.props["PolicyName"], "ScalingPolicy", by="name", most=_MOST)
    told = scaling.describe_scaling_policies(ServiceNamespace=spec.props["ServiceNamespace"], PolicyNames=names)
    return list(told["ScalingPolicies"])


def _label(actual: JsonObject) -> Any:
    return value_at(actual, f"{_TRACKING}.PredefinedMetricSpecification.ResourceLabel")
