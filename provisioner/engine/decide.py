"""The planner: decides what happens to one resource, from what is declared, the state and the actual state.

| actual                        | state             | action                                             |
|-------------------------------|-------------------|----------------------------------------------------|
| does not exist                | nothing           | create                                             |
| does not exist                | open intent       | look until visible_within has passed, then create  |
| does not exist                | known id          | create: it was deleted outside of this tool        |
| ours, deleted, and AWS can    | any               | create, which restores it                          |
| restore it                    |                   |                                                    |
| being deleted                 | any               | create, after it is gone                           |
| somebody else's               | not this id       | refuse, and show whose                             |
| ours                          | nothing, or intent| adopt, then as below                               |
| somebody else's, and exactly  | not this id       | keep, where the type borrows: never deleted        |
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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from provisioner.engine.compare import Difference, differences, held, meets, tag_differences
from provisioner.engine.extras import Extra
from provisioner.engine.graph import Resource
from provisioner.engine.kind import Kind
from provisioner.engine.refs import Doc, unveiled
from provisioner.names import has_another_owner, has_owner
from state.stack_state import ResourceState

AT_WORK = "AWS is still working on it"
BEGUN = "an earlier run began it, and AWS may still be hiding it"
BEHIND_OUR_BACK = "it was deleted behind our back"
COMES_BACK = "it is set to be deleted, and comes back with what it holds"
STILL_GOING = "the old one is still being deleted"
AWAKE_FIRST = "Run that command, wait until it has come to its end, then run this one again."
UNCONFIRMED = "an earlier run did not get to confirm it"

Verb = Literal["keep", "create", "finish", "update", "replace", "delete", "release", "refuse"]


@dataclass(frozen=True)
class Change:
    """The action planned for one resource, and why."""

    verb: Verb
    node: str
    kind: str
    name: str
    piece: str
    id: str = ""
    differences: tuple[Difference, ...] = ()
    # Differences in fields that another owner holds: left as they are.
    held: tuple[Difference, ...] = ()
    # The unmanaged children that are removed.
    extras: tuple[Extra, ...] = ()
    why: str = ""
    adopts: bool = False
    foreign: bool = False
    # What a person does about a refusal, where the resource type knows it.
    remedy: str = ""
    # Whether the replaced resource is kept beside the new one.
    keeps: bool = False
    # The data that is lost for good by it, in words.
    loses: str = ""

    @property
    def acts(self) -> bool:
        """Whether carrying it out makes a mutating call."""
        return self.verb in ("create", "update", "replace", "delete")


def decide(resource: Resource, resource_state: ResourceState | None, seen: Doc | None, wanted: Doc) -> Change:
    """Decide what to do about one declared resource.

    The decision follows from the arguments alone, so that a plan and a run decide alike. `seen` is None where
    the resource does not exist, `resource_state` where the state does not know it.
    """
    kind = resource.type
    change = Change("keep", resource.logical_id, str(kind), resource.aws_name, resource.step)
    if seen is None or (meets(seen, kind.gone) and not _was_ended(kind, resource_state, seen)):
        why = COMES_BACK if seen and comes_back(resource, seen) else _why_create(kind, resource_state)
        return replace(change, verb="create", why=why)
    change = replace(change, id=kind.id_of(seen))
    change = replace(change, adopts=not kind.shared and not _known(resource_state, change.id))
    known = not change.adopts and not kind.borrows and not is_anothers(kind, resource.tags, seen)
    if not known and not is_ours(kind, resource.tags, seen):
        return _of_another(resource, replace(change, adopts=False, foreign=True), seen, wanted)
    if meets(seen, kind.going):
        return replace(change, verb="create", why=STILL_GOING)
    made = _compared(resource, change, resource_state, seen, wanted)
    if made.verb == "replace" and not made.keeps:
        made = replace(made, loses=kind.lost(unveiled(resource_state.desired if resource_state else wanted)))
    # A refused resource stays as it is, so it is shown by the name that it has.
    return (
        replace(made, name=resource_state.aws_name)
        if made.verb == "refuse" and resource_state and resource_state.aws_name
        else made
    )


def comes_back(resource: Resource, seen: Doc) -> bool:
    """Return whether the resource is ours and was deleted, and AWS can restore it as it was."""
    return meets(seen, resource.type.returns) and is_ours(resource.type, resource.tags, seen)


def _was_ended(kind: Kind, resource_state: ResourceState | None, seen: Doc) -> bool:
    """Return whether a person is deleting a resource that the state holds, and can still cancel that."""
    kept = bool(resource_state and resource_state.phase != "deleting" and resource_state.id == kind.id_of(seen))
    return kept and meets(seen, kind.halted)


def _of_another(resource: Resource, change: Change, seen: Doc, wanted: Doc) -> Change:
    """Decide about a resource that somebody else made: keep it where it can be used as it is, else refuse."""
    if resource.type.borrows and not differences(resource.type, wanted, seen, None):
        return change
    return replace(
        change, verb="refuse", why=whose(resource.type, seen), remedy=remedy_for_anothers(resource.type, seen)
    )


def _compared(
    resource: Resource, change: Change, resource_state: ResourceState | None, seen: Doc, wanted: Doc
) -> Change:
    """Decide about a resource that exists and is ours."""
    kind = resource.type
    if asleep := halted(kind, seen, resource.lives_in):
        return replace(change, verb="refuse", why=asleep, adopts=False, remedy=AWAKE_FIRST)
    if kind.closed_until_ready and not meets(seen, kind.ready) and not meets(seen, kind.failed):
        return replace(change, verb="finish", why=AT_WORK)
    confirmed = resource_state.recorded if resource_state else None
    change = replace(change, held=tuple(held(kind, wanted, seen, confirmed)))
    found = differences(kind, wanted, seen, confirmed)
    if why := _no_way(kind, found, seen):
        return replace(change, verb="refuse", why=why, differences=tuple(found), adopts=False)
    if any(one.top in kind.fixed for one in found):
        return _anew(resource, replace(change, differences=tuple(found)))
    if kind.tagged and not kind.shared and seen.get("Tags") is not None:
        found += tag_differences(resource.tags, seen["Tags"])
    return _settled(kind, replace(change, differences=tuple(found)), resource_state, seen)


def _no_way(kind: Kind, found: Iterable[Difference], seen: Doc) -> str:
    """Return why one of these changes is possible neither in place nor by a replacement; "" where all are."""
    told = (kind.one_way[one.top](one.old, one.new) for one in found if one.top in kind.one_way)
    return next((why for why in told if why), "").format(**seen)


def _settled(kind: Kind, change: Change, resource_state: ResourceState | None, seen: Doc) -> Change:
    """Decide about a resource whose differences, if there are any, can be updated in place."""
    if meets(seen, kind.failed) and not (change.differences and kind.on_failure == "update"):
        return replace(change, verb=kind.on_failure, why=_of_failure(kind, seen))
    if change.differences:
        return replace(change, verb="update")
    if not meets(seen, kind.ready):
        return replace(change, verb="finish", why=AT_WORK)
    if resource_state and not change.adopts and resource_state.phase != "ready":
        return replace(change, verb="finish", why=UNCONFIRMED)
    return change


def _of_failure(kind: Kind, seen: Doc) -> str:
    """Describe the failure of a resource, by its type's own words for its status where there are any."""
    told = (one for one in kind.states if one.member in kind.failed)
    said = next((one.says[word] for one in told if (word := str(seen.get(one.member))) in one.says), "")
    return f"it is {said}" if said else "AWS says it failed"


def halted(kind: Kind, seen: Doc, region: str) -> str:
    """Return why a suspended resource takes no change and how to resume it; "" where it is not suspended."""
    if not meets(seen, kind.halted):
        return ""
    state = ", ".join(str(seen[key]) for key in kind.halted)
    return f"it is {state} and takes no change; `{woken_by(kind, seen, region)}` wakes it"


def woken_by(kind: Kind, seen: Doc, region: str) -> str:
    """Return the command that resumes a resource that a person suspended; "" where it is not suspended."""
    return kind.wake.format(**{"Region": region, **seen}) if meets(seen, kind.halted) else ""


def delete(logical_id: str, resource_state: ResourceState, kind: Kind, why: str = "no longer declared") -> Change:
    """Return the change of a resource that is no longer declared: it is deleted, or the state releases it."""
    change = Change(
        "delete",
        logical_id,
        resource_state.type_name,
        resource_state.aws_name,
        resource_state.step,
        resource_state.id,
        why=why,
    )
    stays = kind.outlives(unveiled(resource_state.desired))
    if stays:
        return replace(change, verb="release", why=f"{why}; it stays: {stays}")
    return replace(change, loses=kind.lost(unveiled(resource_state.desired)))


def left(logical_id: str, resource_state: ResourceState) -> Change:
    """Return the change of an undeclared resource that stays, as what was created with it still needs it."""
    return Change(
        "keep", logical_id, resource_state.type_name, resource_state.aws_name, resource_state.step, resource_state.id
    )


def with_extras(change: Change, extras: tuple[Extra, ...]) -> Change:
    """Return the change, extended by the removal of unmanaged children."""
    if not extras or change.verb not in ("keep", "finish", "update"):
        return change
    return replace(change, verb="update", extras=extras, why="" if change.verb == "keep" else change.why)


def _anew(resource: Resource, change: Change) -> Change:
    # Replace the resource; refuse where that loses data, or where the type names another way out.
    kind = resource.type
    told = (one for one in change.differences if one.top in kind.fixed or one.top in kind.distinct)
    fields = ", ".join(one.path for one in told)
    reason = change.why or f"{fields} can only be set on a new one"
    outs = [resource.type.ways_out[one.top] for one in change.differences if one.top in resource.type.ways_out]
    lost = ", and a new one would lose what is in this one" if resource.type.holds_data else ""
    if lost or outs:
        return replace(change, verb="refuse", why="; ".join([f"{reason}{lost}", *dict.fromkeys(outs)]))
    kept = f"; the one before is kept for {resource.type.kept_for}" if resource.type.kept_for else ""
    return replace(change, verb="replace", why=f"{reason}{kept}", keeps=bool(kept))


def _known(resource_state: ResourceState | None, id_: str) -> bool:
    return bool(resource_state and resource_state.id == id_)


def is_anothers(kind: Kind, wanted: Mapping[str, str], seen: Doc) -> bool:
    """Return whether a resource is somebody else's although its id is known: the id is only a name.

    Its tags decide then. Without any tag it is ours: the tags were removed, or AWS does not take them in the
    create call.
    """
    return proves_nothing(kind) and has_another_owner(seen.get("Tags") or {}, wanted)


def proves_nothing(kind: Kind) -> bool:
    """Return whether the id is only a name that another resource could take, so that tags tell the owner."""
    return kind.tagged and (kind.id_is_name or kind.key == kind.named)


def is_ours(kind: Kind, wanted: Mapping[str, str], seen: Doc) -> bool:
    """Return whether a resource found by name or tag belongs to the stack.

    A resource of the whole account counts as ours, and so does a part of another resource, which has no tags.
    """
    if not kind.tagged or kind.shared:
        return True
    tags = seen.get("Tags") or {}
    return has_owner(tags, wanted) or (kind.adopts_untagged and "Environment" not in tags)


def _why_create(kind: Kind, resource_state: ResourceState | None) -> str:
    # Why a resource that the state knows is created again, in words; "" for a new one.
    if resource_state and resource_state.intent and resource_state.intent.action == "create":
        return BEGUN
    if resource_state is None or not resource_state.id:
        return ""
    return BEHIND_OUR_BACK + (", and what was in it is gone" if kind.holds_data else "")


def whose(kind: Kind, seen: Doc) -> str:
    """Describe the owner of a resource that is somebody else's."""
    if about := kind.about(seen):
        return f"somebody else's: {about}"
    tags = seen.get("Tags") or {}
    told = ", ".join(f"{name}={value}" for name, value in sorted(tags.items())) or "no tags at all"
    return f"somebody else's: it carries {told}"


def remedy_for_anothers(kind: Kind, seen: Doc) -> str:
    """Return what to do about somebody else's resource in the way; "" where another suffix is the remedy."""
    return kind.when_anothers.format(**seen)
