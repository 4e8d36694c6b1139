"""The planner: decides what happens to one resource, from what is declared, the state and the actual state.

| actual                        | state             | action                                             |
|-------------------------------|-------------------|----------------------------------------------------|
| does not exist                | nothing           | create                                             |
| does not exist                | open intent       | look while reads may miss it, then create          |
| does not exist                | known id          | create: it was deleted outside of this tool        |
| ours, deleted, and AWS can    | any               | create, which restores it                          |
| restore it                    |                   |                                                    |
| being deleted                 | any               | create, after it is gone                           |
| somebody else's               | not this id       | refuse, and show whose                             |
| ours                          | nothing, or intent| adopt, then as below                               |
| somebody else's, and exactly  | not this id       | keep, if the type uses existing ones: never deleted|
| as desired                    |                   |                                                    |
| differs in an immutable field | any               | replace where no data is lost by it, else refuse   |
|                               |                   | with a way out                                     |
| differs in a field that AWS   | any               | refuse, with what to do                            |
| changes in one direction only |                   |                                                    |
| suspended by a person         | any               | refuse, with the command that resumes it; a        |
|                               |                   | deletion, too, if the state holds the resource and |
|                               |                   | the person can still cancel it                     |
| failed                        | any               | what the type says: replace, update or refuse      |
| differs                       | any               | update                                             |
| not ready, and takes no change| any               | finish, then compare again                         |
| until it is                   |                   |                                                    |
| as desired, not ready         | any               | finish: wait                                       |
| as desired                    | not recorded      | finish: record it                                  |
| as desired                    | any               | keep                                               |
| has unmanaged children        | any               | update: they are removed, where the type owns all  |
|                               |                   | its children; else shown by drift, and left alone  |
| differs in a field that       | any               | as desired, and shown: theirs is never set back    |
| another owner holds           |                   |                                                    |

A resource in the state that is no longer declared is deleted after everything else. One that outlives the
stack is released: the state forgets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import (
    Difference,
    differences,
    external_differences,
    meets_condition,
    tag_differences,
)
from provisioner.engine.planning.resource_owner import foreign_remedy, is_foreign, is_owned, owner_description
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, redact
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState

AWS_IS_WORKING = "AWS is still working on it"
CREATE_WAS_INTERRUPTED = "an earlier run began it, and AWS may still be hiding it"
DELETED_OUTSIDE = "it was deleted outside of this tool"
IS_RESTORED = "it is set to be deleted, and comes back with what it holds"
PREDECESSOR_IS_DELETING = "the old one is still being deleted"
RESUME_FIRST = "Run that command, wait until it has come to its end, then run this one again."
NOT_YET_CONFIRMED = "an earlier run did not get to confirm it"


def decide_change(
    resource: Resource, resource_state: ResourceState | None, actual: JsonObject | None, desired: JsonObject
) -> Change:
    """Decide what to do about one declared resource.

    The decision follows from the arguments alone, so that a plan and a run decide alike. `actual` is None where
    the resource does not exist, `resource_state` where the state does not know it.
    """
    resource_type = resource.type
    change = Change("keep", resource.logical_id, str(resource_type), resource.aws_name, resource.step)
    if actual is None or (
        meets_condition(actual, resource_type.deleted)
        and not _deletion_is_pending(resource_type, resource_state, actual)
    ):
        is_restored = actual is not None and is_restorable(resource, actual)
        reason = IS_RESTORED if is_restored else _creation_reason(resource_type, resource_state)
        return replace(change, action="create", reason=reason)
    change = replace(change, id=resource_type.id_of(actual))
    change = replace(change, adopts=not resource_type.account_wide and not _is_recorded(resource_state, change.id))
    if _is_somebody_elses(resource, change, actual):
        return _decide_foreign(resource, replace(change, adopts=False, foreign=True), actual, desired)
    if meets_condition(actual, resource_type.deleting):
        return replace(change, action="create", reason=PREDECESSOR_IS_DELETING)
    change = _decide_owned(resource, change, resource_state, actual, desired)
    if change.action == "replace" and not change.retains_replaced:
        lost_properties = redact(resource_state.desired if resource_state else desired)
        return replace(change, data_loss=resource_type.data_loss(lost_properties))
    if change.action == "refuse" and resource_state and resource_state.aws_name:
        # A refused resource stays as it is, so it is shown by the name that it has.
        return replace(change, aws_name=resource_state.aws_name)
    return change


def _is_somebody_elses(resource: Resource, change: Change, actual: JsonObject) -> bool:
    """Return whether an existing resource is not the stack's; a recorded one counts as ours by its id alone."""
    resource_type, tags = resource.type, resource.tags
    is_known = not change.adopts and not resource_type.uses_existing and not is_foreign(resource_type, tags, actual)
    return not is_known and not is_owned(resource_type, tags, actual)


def is_restorable(resource: Resource, actual: JsonObject) -> bool:
    """Return whether the resource is ours and was deleted, and AWS can restore it as it was."""
    return meets_condition(actual, resource.type.restorable) and is_owned(resource.type, resource.tags, actual)


def _deletion_is_pending(resource_type: ResourceType, resource_state: ResourceState | None, actual: JsonObject) -> bool:
    """Return whether a person is deleting a resource that the state holds, and can still cancel that."""
    if resource_state is None or resource_state.phase == "deleting":
        return False
    return resource_state.id == resource_type.id_of(actual) and meets_condition(actual, resource_type.suspended)


def _decide_foreign(resource: Resource, change: Change, actual: JsonObject, desired: JsonObject) -> Change:
    """Decide about a resource that somebody else made: keep it where it can be used as it is, else refuse."""
    if resource.type.uses_existing and not differences(resource.type, desired, actual, None):
        return change
    return replace(
        change,
        action="refuse",
        reason=owner_description(resource.type, actual),
        remedy=foreign_remedy(resource.type, actual),
    )


def _decide_owned(
    resource: Resource, change: Change, resource_state: ResourceState | None, actual: JsonObject, desired: JsonObject
) -> Change:
    """Decide about a resource that exists and is ours."""
    resource_type = resource.type
    if reason := suspension_reason(resource_type, actual, resource.actual_region):
        return replace(change, action="refuse", reason=reason, adopts=False, remedy=RESUME_FIRST)
    if (
        resource_type.immutable_until_ready
        and not meets_condition(actual, resource_type.ready)
        and not meets_condition(actual, resource_type.failed)
    ):
        return replace(change, action="finish", reason=AWS_IS_WORKING)
    recorded = resource_state.recorded if resource_state else None
    change = replace(change, external=tuple(external_differences(resource_type, desired, actual, recorded)))
    differing = differences(resource_type, desired, actual, recorded)
    if reason := _impossible_reason(resource_type, differing, actual):
        return replace(change, action="refuse", reason=reason, differences=tuple(differing), adopts=False)
    if any(difference.top in resource_type.immutable for difference in differing):
        return _decide_replacement(resource_type, replace(change, differences=tuple(differing)))
    if resource_type.tagged and not resource_type.account_wide and actual.get("Tags") is not None:
        differing += tag_differences(resource.tags, actual["Tags"])
    return _decide_in_place(resource_type, replace(change, differences=tuple(differing)), resource_state, actual)


def _impossible_reason(resource_type: ResourceType, differing: Iterable[Difference], actual: JsonObject) -> str:
    """Return why one of these changes is possible neither in place nor by a replacement; "" where all are."""
    for difference in differing:
        refuse = resource_type.irreversible.get(difference.top)
        if refuse and (reason := refuse(difference.old, difference.new)):
            return reason.format(**actual)
    return ""


def _decide_in_place(
    resource_type: ResourceType, change: Change, resource_state: ResourceState | None, actual: JsonObject
) -> Change:
    """Decide about a resource whose differences, if there are any, can be updated in place."""
    if meets_condition(actual, resource_type.failed) and not (
        change.differences and resource_type.on_failure == "update"
    ):
        return replace(change, action=resource_type.on_failure, reason=_failure_reason(resource_type, actual))
    if change.differences:
        return replace(change, action="update")
    if not meets_condition(actual, resource_type.ready):
        return replace(change, action="finish", reason=AWS_IS_WORKING)
    if resource_state and not change.adopts and resource_state.phase != "ready":
        return replace(change, action="finish", reason=NOT_YET_CONFIRMED)
    return change


def _failure_reason(resource_type: ResourceType, actual: JsonObject) -> str:
    """Describe the failure of a resource, by its type's own words for its status where there are any."""
    for status in resource_type.status_classes:
        word = str(actual.get(status.member))
        if status.member in resource_type.failed and word in status.descriptions:
            return f"it is {status.descriptions[word]}"
    return "AWS says it failed"


def suspension_reason(resource_type: ResourceType, actual: JsonObject, region: str) -> str:
    """Return why a suspended resource takes no change and how to resume it; "" where it is not suspended."""
    if not meets_condition(actual, resource_type.suspended):
        return ""
    state = ", ".join(str(actual[key]) for key in resource_type.suspended)
    return f"it is {state} and takes no change; `{resume_command(resource_type, actual, region)}` wakes it"


def resume_command(resource_type: ResourceType, actual: JsonObject, region: str) -> str:
    """Return the command that resumes a resource that a person suspended; "" where it is not suspended."""
    if not meets_condition(actual, resource_type.suspended):
        return ""
    return resource_type.resume_hint.format(**{"Region": region, **actual})


def _decide_replacement(resource_type: ResourceType, change: Change) -> Change:
    """Replace the resource; refuse where that loses data, or where the type names another remedy."""
    paths = [
        difference.path
        for difference in change.differences
        if difference.top in resource_type.immutable or difference.top in resource_type.discriminators
    ]
    reason = change.reason or f"{', '.join(paths)} can only be set on a new one"
    tops = dict.fromkeys(difference.top for difference in change.differences)
    remedies = [resource_type.change_remedies[top] for top in tops if top in resource_type.change_remedies]
    loss = ", and a new one would lose what is in this one" if resource_type.holds_data else ""
    if loss or remedies:
        return replace(change, action="refuse", reason="; ".join([f"{reason}{loss}", *dict.fromkeys(remedies)]))
    kept = f"; the one before is kept for {resource_type.retained_for}" if resource_type.retained_for else ""
    return replace(change, action="replace", reason=f"{reason}{kept}", retains_replaced=bool(kept))


def _is_recorded(resource_state: ResourceState | None, id_: str) -> bool:
    return bool(resource_state and resource_state.id == id_)


def _creation_reason(resource_type: ResourceType, resource_state: ResourceState | None) -> str:
    """Return why a resource that the state knows is created again, in words; "" for a new one."""
    if resource_state and resource_state.intent and resource_state.intent.action == "create":
        return CREATE_WAS_INTERRUPTED
    if resource_state is None or not resource_state.id:
        return ""
    return DELETED_OUTSIDE + (", and what was in it is gone" if resource_type.holds_data else "")
