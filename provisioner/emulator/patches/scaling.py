"""Application Auto Scaling: policies are updated in place, tags are kept, deletes leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import AccountRegion, Call

SERVICE = "application-autoscaling"
_tags: AccountStore[dict[str, str]] = AccountStore()  # by ARN of the scalable target
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def _scaling(near: Call | AccountRegion) -> Any:
    """Return moto's Application Auto Scaling state of an account and region."""
    return backend("applicationautoscaling", near.account, near.region)


def _target(call: Call) -> Any:
    """Return moto's scalable target that a call names; None where there is none."""
    return _scaling(call).targets.get(call.params["ScalableDimension"], {}).get(call.params["ResourceId"])


def _describe_target(params: dict[str, Any]) -> str:
    """Describe the scalable target of a call's parameters, for an error message."""
    return (
        f"service namespace: {params['ServiceNamespace']}, resource ID: {params['ResourceId']},"
        f" scalable dimension: {params['ScalableDimension']}"
    )


@always.after(SERVICE, "RegisterScalableTarget")
def complete_target(call: Call, reply: Reply) -> None:
    """Keep a new target's tags, and give its creation time and suspended state AWS's form.

    Tags on an existing target are ignored (botocore ServiceModel, Tags).
    """
    _tags.of(call).setdefault(reply["ScalableTargetARN"], call.params.get("Tags", {}))
    # AWS returns milliseconds; moto returns more digits in a reply of one page than in one of several.
    target = _target(call)
    target.creation_time = int(target.creation_time * 1000) / 1000
    # botocore SuspendedState: false is the default of each; AWS returns all three.
    target.suspended_state = {**dict.fromkeys(_SUSPENDED, False), **(target.suspended_state or {})}


@always.before(SERVICE, "PutScalingPolicy")
def put_policy(call: Call) -> Reply | None:
    """Require a scalable target, and update an existing policy in place: its ARN and its alarms stay."""
    params = call.params
    if _target(call) is None:
        raise AwsError("ObjectNotFoundException", f"No scalable target registered for {_describe_target(params)}")
    policy = _policy(call)
    if policy is None:
        return None
    body = params.get("TargetTrackingScalingPolicyConfiguration")
    steps = params.get("StepScalingPolicyConfiguration")
    if body is not None:
        policy.target_tracking_scaling_policy_configuration = body
    if steps is not None:
        policy.step_scaling_policy_configuration = steps
    _restore_alarms(call, policy)
    alarms = [{"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn} for alarm in policy.alarms]
    return {"PolicyARN": policy.policy_arn, "Alarms": alarms}


def _restore_alarms(call: Call, policy: Any) -> None:
    """Recreate a policy's lost alarms under new names, and restore the actions of alarms that exist."""
    alarms = backend("cloudwatch", call.account, call.region).alarms
    former = {_stem_of(alarm.name): alarm.name for alarm in policy.alarms if alarm.name in alarms}
    policy.alarms.clear()
    policy.create_alarms()
    for index, recreated in enumerate(policy.alarms):
        if name := former.get(_stem_of(recreated.name)):
            del alarms[recreated.name]
            alarms[name].actions_enabled = True
            alarms[name].alarm_actions = recreated.alarm_actions
            policy.alarms[index] = alarms[name]


def _stem_of(name: str) -> str:
    """Return an alarm's name without the random end."""
    return name[: -len("-00000000-0000-0000-0000-000000000000")]


def _policy(call: Call) -> Any:
    """Return moto's scaling policy that a call names; None where there is none."""
    names = ("ServiceNamespace", "ResourceId", "ScalableDimension", "PolicyName")
    return _scaling(call).policies.get("\t".join(call.params[name] for name in names))


@always.before(SERVICE, "PutScheduledAction")
def put_action(call: Call) -> None:
    """Require a scalable target (API reference, PutScheduledAction: ObjectNotFoundException)."""
    if _target(call) is None:
        raise AwsError("ObjectNotFoundException", f"No scalable target registered for {_describe_target(call.params)}")


@always.before(SERVICE, "DeleteScalingPolicy")
def delete_policy(call: Call) -> None:
    """Refuse to delete an unknown policy, with AWS's code."""
    if _policy(call) is None:
        raise AwsError("ObjectNotFoundException", f"No scaling policy found for {_describe_target(call.params)}")


@always.before(SERVICE, "DeregisterScalableTarget")
def deregister(call: Call) -> None:
    """Delete a target's policies, their alarms (botocore ServiceModel) and scheduled actions with it."""
    target = _target(call)
    if target is None:
        raise AwsError("ObjectNotFoundException", f"No scalable target found for {_describe_target(call.params)}")
    _delete_policies_and_actions(call, target.resource_id)
    _tags.of(call).pop(target.arn, None)


def _delete_policies_and_actions(near: Call | AccountRegion, resource: str) -> None:
    """Delete the policies, their alarms, and the scheduled actions of a resource."""
    scaling = _scaling(near)
    scaling.scheduled_actions = [action for action in scaling.scheduled_actions if action.resource_id != resource]
    for key, policy in list(scaling.policies.items()):
        if policy.resource_id == resource:
            policy.delete_alarms(near.account, near.region)
            del scaling.policies[key]


def forget_service(near: AccountRegion, resource: str) -> None:
    """Delete the scalable targets, policies and scheduled actions of a service that is gone.

    Source: terraform-provider-aws#14254.
    """
    _delete_policies_and_actions(near, resource)
    for targets in _scaling(near).targets.values():
        if target := targets.pop(resource, None):
            _tags.of(near).pop(target.arn, None)


def tagged_targets(call: Call) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the ARN and the tags of every scalable target."""
    yield from _tags.of(call).items()


def _tags_of(call: Call) -> dict[str, str]:
    """Return the tags of the scalable target that a call names; refuse an unknown ARN."""
    arn = call.params["ResourceARN"]
    every = [t.arn for targets in _scaling(call).targets.values() for t in targets.values()]
    if arn not in every:
        raise AwsError("ResourceNotFoundException", f"No scalable target found with ARN {arn}")
    return _tags.of(call).setdefault(arn, {})


@always.before(SERVICE, "ListTagsForResource")
def list_tags(call: Call) -> Reply | None:
    """List a scalable target's tags, which moto cannot."""
    return {"Tags": dict(_tags_of(call))}


@always.before(SERVICE, "TagResource")
def tag(call: Call) -> Reply | None:
    """Add tags to a scalable target."""
    _tags_of(call).update(call.params["Tags"])
    return {}


@always.before(SERVICE, "UntagResource")
def untag(call: Call) -> Reply | None:
    """Remove tags from a scalable target."""
    tags = _tags_of(call)
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}


@always.before(SERVICE, "DescribeScalingActivities")
def list_no_activities(_: Call) -> Reply | None:
    """List no scaling activities, since nothing scales here."""
    return {"ScalingActivities": []}
