"""Application Auto Scaling: the scalable target of a service, and its target tracking policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from itertools import combinations
from typing import Any

from provisioner.engine.beats import Beat
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.faults import unless_unknown
from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc, dig
from provisioner.engine.states import States
from provisioner.engine.traits import calling, codes
from provisioner.kinds import tracking_alarms
from provisioner.kinds.members.ecs import SCALABLE_TARGET, SCALING_POLICY
from provisioner.kinds.together import tags_told

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
RESUMED: Doc = dict.fromkeys(_PARTS, False)
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


class ScalableTarget(Kind):
    """A scalable target: the minimum and maximum of a service's task count."""

    service, key, noun = "application-autoscaling", "ResourceId", "scaling"
    members = SCALABLE_TARGET
    fixed = frozenset(_WHICH)
    within = ("ResourceId",)
    claims = _WHICH
    # The scaling activities that somebody suspended; `read` adds them.
    states = (
        States(
            "Scaling",
            frozenset({_NOTHING}),
            unhealthy=frozenset(_SUSPENDED),
            untold="healthy",
            says={_NOTHING: "nothing suspended", **_SUSPENDED},
        ),
    )
    # AWS deletes it with its service. A target made in the console has no tags.
    adopts_untagged = True
    absent = _GONE
    transient = {"create": _YOUNG, "update": _YOUNG, "delete": codes("ConcurrentUpdateException")}
    resource = "ScalableTarget"
    calls = calling(
        extras="DescribeScalingPolicies DescribeScheduledActions",
        read="DescribeScalableTargets ListTagsForResource",
        create="RegisterScalableTarget",
        update="RegisterScalableTarget",
        retag="TagResource UntagResource DescribeScalableTargets ListTagsForResource",
        delete="DeregisterScalableTarget",
    )

    def read(self, scaling: Any, spec: ResourceSpec) -> Doc | None:
        """Read the target and its tags; one call reads all targets that are being read together."""
        own = spec.props["ResourceId"]
        listed = scaling.describe_scalable_targets(
            ServiceNamespace=spec.props["ServiceNamespace"],
            ResourceIds=scaling.peers.together(own, "ScalableTarget", most=_MOST),
        )["ScalableTargets"]
        found = [doc for doc in listed if doc["ResourceId"] == own]
        if not found:
            return None
        arn = found[0]["ScalableTargetARN"]
        return {**with_suspended(found[0]), "Tags": tags_told(scaling, spec, arn, lambda: _tags(scaling, arn))}

    def create(self, scaling: Any, spec: ResourceSpec) -> Doc:
        """Create the target with RegisterScalableTarget."""
        scaling.register_scalable_target(**spec.props, Tags=dict(spec.tags))
        return dict(spec.props)

    def update(self, scaling: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Change the target with RegisterScalableTarget, which is an upsert."""
        scaling.register_scalable_target(**spec.props)

    def retag(self, scaling: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = (self.read(scaling, spec) or {})["ScalableTargetARN"]
        if put:
            scaling.tag_resource(ResourceARN=arn, Tags=dict(put))
        if gone := list(drop):
            scaling.untag_resource(ResourceARN=arn, TagKeys=gone)

    def extras(self, scaling: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the scaling policies and scheduled actions that the stack does not declare."""
        which = {key: spec.props[key] for key in ("ServiceNamespace", "ResourceId")}
        names = inside.values("PolicyName")
        listed = scaling.describe_scaling_policies(**which)["ScalingPolicies"]
        others = (one for one in listed if one["PolicyName"] not in names)
        stays = "of all policies the one that wants the most tasks wins"
        found = [Extra(f"scaling policy {one['PolicyName']}", one, stays) for one in others]
        actions = scaling.describe_scheduled_actions(**which)["ScheduledActions"]
        return [*found, *(Extra(scheduled(one), one, _AT_ITS_TIME) for one in actions)]

    def delete(self, scaling: Any, spec: ResourceSpec) -> None:
        """Deregister the target; AWS deletes its policies and their alarms with it."""
        scaling.deregister_scalable_target(**{key: spec.props[key] for key in _WHICH})


def scheduled(action: Doc) -> str:
    """Describe a scheduled action in a phrase: its name, its schedule, and the limits that it sets."""
    limits = action.get("ScalableTargetAction") or {}
    sets = (f"{word} {limits[key]}" for key, word in _LIMITS.items() if key in limits)
    zone = f" {action['Timezone']}" if action.get("Timezone") else ""
    return f"scheduled action {action['ScheduledActionName']}, {action['Schedule']}{zone}: {', '.join(sets)}"


def with_suspended(target: Doc) -> Doc:
    """Return a target with its full SuspendedState, and `Scaling`, a phrase that says what is suspended."""
    suspended = {**RESUMED, **(target.get("SuspendedState") or {})}
    parts = ", ".join(_PARTS.get(member, member) for member, is_off in suspended.items() if is_off)
    return {**target, "SuspendedState": suspended, "Scaling": parts or _NOTHING}


def _tags(scaling: Any, arn: str) -> dict[str, str] | None:
    """Return the target's tags; None, so that none are compared, if an emulator lacks the call."""
    return unless_unknown(lambda: dict(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"]), None)


class ScalingPolicy(Kind):
    """A target tracking policy; AWS creates and maintains its CloudWatch alarms."""

    service, key = "application-autoscaling", ("ResourceId", "PolicyName")
    members = SCALING_POLICY
    named, noun = "PolicyName", "requests"
    tagged = False
    # The policy scales only when its alarms call it. If they are deleted or no longer call it, it is put
    # again.
    states = (tracking_alarms.STATES,)
    failed, on_failure = {"Tracking": tracking_alarms.STATES.unhealthy}, "update"
    decided_by_observation = True
    claims = (*_WHICH, "PolicyName")
    fixed = frozenset({*_WHICH, "PolicyName", "PolicyType"})
    replaces = {"PutScalingPolicy": ""}
    # A policy tracks one of the two.
    alternatives = frozenset(f"{_TRACKING}.{one}MetricSpecification" for one in ("Customized", "Predefined"))
    within = ("ResourceId",)
    absent = _GONE
    transient = {"create": _YOUNG, "update": _YOUNG, "delete": codes("ConcurrentUpdateException")}
    resource = "ScalableTarget"
    calls = calling(
        read="DescribeScalingPolicies",
        observe="DescribeScalingPolicies",
        create="PutScalingPolicy",
        update="PutScalingPolicy",
        delete="DeleteScalingPolicy",
    )

    def read(self, scaling: Any, spec: ResourceSpec) -> Doc | None:
        """Find the policy of this name and resource with DescribeScalingPolicies."""
        mine = (doc for doc in _policies(scaling, spec) if doc["ResourceId"] == spec.props["ResourceId"])
        return next((doc for doc in mine if doc["PolicyName"] == spec.props["PolicyName"]), None)

    def observe(self, scaling: Any, spec: ResourceSpec, doc: Doc) -> Doc:
        """Add `Tracking`, the state of the policy's alarms; one DescribeAlarms call serves all policies."""
        standing = tracking_alarms.alarms_of(scaling, _policies(scaling, spec))
        return {**doc, "Tracking": tracking_alarms.tracking(doc, standing)}

    def create(self, scaling: Any, spec: ResourceSpec) -> Doc:
        """Create the policy with PutScalingPolicy."""
        scaling.put_scaling_policy(**spec.props)
        return dict(spec.props)

    def update(self, scaling: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Put the policy again with PutScalingPolicy, an upsert that also recreates missing alarms."""
        scaling.put_scaling_policy(**spec.props)

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """Return the desired policy, but until the FOLLOW phase with the target group that it tracks now."""
        if beat >= Beat.FOLLOW or _label(seen) == _label(wanted):
            return wanted
        return {**wanted, _TRACKING: seen[_TRACKING]}

    def delete(self, scaling: Any, spec: ResourceSpec) -> None:
        """Delete the policy; AWS deletes its alarms with it."""
        which = {key: spec.props[key] for key in (*_WHICH, "PolicyName")}
        scaling.delete_scaling_policy(**which)


def _policies(scaling: Any, spec: ResourceSpec) -> list[Doc]:
    """Return all policies that are being read together, with one DescribeScalingPolicies call."""
    names = scaling.peers.together(spec.props["PolicyName"], "ScalingPolicy", by="name", most=_MOST)
    told = scaling.describe_scaling_policies(ServiceNamespace=spec.props["ServiceNamespace"], PolicyNames=names)
    return list(told["ScalingPolicies"])


def _label(doc: Doc) -> Any:
    return dig(doc, f"{_TRACKING}.PredefinedMetricSpecification.ResourceLabel")
