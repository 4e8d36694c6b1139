"""Application Auto Scaling: what may be scaled, and by which measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from itertools import combinations
from typing import Any

from provisioner.engine.beats import Beat
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.faults import unless_unknown
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc, dig
from provisioner.engine.states import States
from provisioner.engine.traits import calling, codes
from provisioner.kinds import tracking_alarms
from provisioner.kinds.members.ecs import SCALABLE_TARGET, SCALING_POLICY
from provisioner.kinds.together import tags_told

_WHICH = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# botocore application-autoscaling: so many targets or policies in one call.
_MOST = 50
# botocore application-autoscaling SuspendedState: what of a target can be suspended, false by default.
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
# botocore application-autoscaling ScalableTargetAction: what a scheduled action sets of a target.
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
    """The count of a service, between a least and a most."""

    service, key, noun = "application-autoscaling", "ResourceId", "scaling"
    members = SCALABLE_TARGET
    fixed = frozenset(_WHICH)
    within = ("ResourceId",)
    claims = _WHICH
    # What somebody suspended of it; told by `read`.
    states = (
        States(
            "Scaling",
            frozenset({_NOTHING}),
            unhealthy=frozenset(_SUSPENDED),
            untold="healthy",
            says={_NOTHING: "nothing suspended", **_SUSPENDED},
        ),
    )
    # It goes with its service, and comes without tags where a console made it.
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

    def read(self, scaling: Any, it: Item) -> Doc | None:
        """DescribeScalableTargets, and its tags."""
        own = it.props["ResourceId"]
        listed = scaling.describe_scalable_targets(
            ServiceNamespace=it.props["ServiceNamespace"],
            ResourceIds=scaling.peers.together(own, "ScalableTarget", most=_MOST),
        )["ScalableTargets"]
        found = [doc for doc in listed if doc["ResourceId"] == own]
        if not found:
            return None
        arn = found[0]["ScalableTargetARN"]
        return {**with_suspended(found[0]), "Tags": tags_told(scaling, it, arn, lambda: _tags(scaling, arn))}

    def create(self, scaling: Any, it: Item) -> Doc:
        """RegisterScalableTarget."""
        scaling.register_scalable_target(**it.props, Tags=dict(it.tags))
        return dict(it.props)

    def update(self, scaling: Any, it: Item, changed: Doc) -> None:
        """RegisterScalableTarget: it is an upsert."""
        scaling.register_scalable_target(**it.props)

    def retag(self, scaling: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        arn = (self.read(scaling, it) or {})["ScalableTargetARN"]
        if put:
            scaling.tag_resource(ResourceARN=arn, Tags=dict(put))
        if gone := list(drop):
            scaling.untag_resource(ResourceARN=arn, TagKeys=gone)

    def extras(self, scaling: Any, it: Item, doc: Doc, inside: Inside) -> list[Extra]:
        """DescribeScalingPolicies: those of other names than ours; DescribeScheduledActions: all of them."""
        which = {key: it.props[key] for key in ("ServiceNamespace", "ResourceId")}
        names = inside.values("PolicyName")
        listed = scaling.describe_scaling_policies(**which)["ScalingPolicies"]
        others = (one for one in listed if one["PolicyName"] not in names)
        stays = "of all policies the one that wants the most tasks wins"
        found = [Extra(f"scaling policy {one['PolicyName']}", one, stays) for one in others]
        actions = scaling.describe_scheduled_actions(**which)["ScheduledActions"]
        return [*found, *(Extra(scheduled(one), one, _AT_ITS_TIME) for one in actions)]

    def delete(self, scaling: Any, it: Item) -> None:
        """DeregisterScalableTarget; its policies and their alarms go with it."""
        scaling.deregister_scalable_target(**{key: it.props[key] for key in _WHICH})


def scheduled(action: Doc) -> str:
    """A scheduled action in words: its name, its time, and what it sets then."""
    limits = action.get("ScalableTargetAction") or {}
    sets = (f"{word} {limits[key]}" for key, word in _LIMITS.items() if key in limits)
    zone = f" {action['Timezone']}" if action.get("Timezone") else ""
    return f"scheduled action {action['ScheduledActionName']}, {action['Schedule']}{zone}: {', '.join(sets)}"


def with_suspended(target: Doc) -> Doc:
    """A target with all members of its SuspendedState, and in words what of it is suspended."""
    suspended = {**RESUMED, **(target.get("SuspendedState") or {})}
    parts = ", ".join(_PARTS.get(member, member) for member, is_off in suspended.items() if is_off)
    return {**target, "SuspendedState": suspended, "Scaling": parts or _NOTHING}


def _tags(scaling: Any, arn: str) -> dict[str, str] | None:
    """The target's tags; None where an emulator does not know the call, so that they are not compared."""
    return unless_unknown(lambda: dict(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"]), None)


class ScalingPolicy(Kind):
    """A target to track; AWS makes and keeps its alarms."""

    service, key = "application-autoscaling", ("ResourceId", "PolicyName")
    members = SCALING_POLICY
    named, noun = "PolicyName", "requests"
    tagged = False
    # By its alarms alone it scales: where they are gone, or call it no more, it is put anew.
    states = (tracking_alarms.STATES,)
    failed, on_failure = {"Tracking": tracking_alarms.STATES.unhealthy}, "update"
    decided_by_observation = True
    claims = (*_WHICH, "PolicyName")
    fixed = frozenset({*_WHICH, "PolicyName", "PolicyType"})
    replaces = {"PutScalingPolicy": ""}
    # What is tracked is one of them.
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

    def read(self, scaling: Any, it: Item) -> Doc | None:
        """DescribeScalingPolicies."""
        mine = (doc for doc in _policies(scaling, it) if doc["ResourceId"] == it.props["ResourceId"])
        return next((doc for doc in mine if doc["PolicyName"] == it.props["PolicyName"]), None)

    def observe(self, scaling: Any, it: Item, doc: Doc) -> Doc:
        """DescribeAlarms, for the alarms of all policies that are looked at."""
        standing = tracking_alarms.alarms_of(scaling, _policies(scaling, it))
        return {**doc, "Tracking": tracking_alarms.tracking(doc, standing)}

    def create(self, scaling: Any, it: Item) -> Doc:
        """PutScalingPolicy."""
        scaling.put_scaling_policy(**it.props)
        return dict(it.props)

    def update(self, scaling: Any, it: Item, changed: Doc) -> None:
        """PutScalingPolicy: it is an upsert, and makes those of its alarms anew that are gone."""
        scaling.put_scaling_policy(**it.props)

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """As it is, until the requests have gone over to the group that it is to count."""
        if beat >= Beat.FOLLOW or _label(seen) == _label(wanted):
            return wanted
        return {**wanted, _TRACKING: seen[_TRACKING]}

    def delete(self, scaling: Any, it: Item) -> None:
        """DeleteScalingPolicy, alarms included."""
        which = {key: it.props[key] for key in (*_WHICH, "PolicyName")}
        scaling.delete_scaling_policy(**which)


def _policies(scaling: Any, it: Item) -> list[Doc]:
    """DescribeScalingPolicies: all that are looked at together."""
    names = scaling.peers.together(it.props["PolicyName"], "ScalingPolicy", by="name", most=_MOST)
    told = scaling.describe_scaling_policies(ServiceNamespace=it.props["ServiceNamespace"], PolicyNames=names)
    return list(told["ScalingPolicies"])


def _label(doc: Doc) -> Any:
    return dig(doc, f"{_TRACKING}.PredefinedMetricSpecification.ResourceLabel")
