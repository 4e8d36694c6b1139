"""The data of a resource type: its states, properties, times, error codes; the phases of a cutover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, ClassVar, Literal

from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.field_ownership import FieldOwner, FieldOwnership
from provisioner.engine.types.health_status import StatusClasses

Condition = Mapping[str, Any]
Codes = frozenset[str]
Calls = Mapping[str, tuple[str, ...]]

NEVER: Condition = {"never": True}


def minutes(count: float) -> float:
    """Return minutes as seconds, the unit of every duration here."""
    return 60 * count


def codes(*names: str) -> Codes:
    """Return a set of AWS error codes, as they are in `ClientError.response["Error"]["Code"]`."""
    return frozenset(names)


def declare_operations(**actions: str) -> Calls:
    """Return the AWS operations that each method calls; several operations are separated by blanks."""
    return {action: tuple(operations.split()) for action, operations in actions.items()}


class EveryName(frozenset[str]):
    """A set that contains every name: the immutable properties of a type without an update."""

    def __contains__(self, _name: object) -> bool:
        return True


EVERY_NAME = EveryName()


class ResourceTypeData:
    """The data of a resource type, with a default for each attribute that a type does not set."""

    service: ClassVar[str]
    noun: ClassVar[str] = ""
    # The property that holds the AWS name, or "" if the name is only a tag.
    name_property: ClassVar[str] = ""
    # The most characters that AWS takes in the name (botocore's model; the API reference of the service).
    max_name_length: ClassVar[int] = 255
    # The path of the id in the result of `read`; several paths make one id, joined by "|".
    id_paths: ClassVar[str | tuple[str, ...]]
    # The id is made of the name, so another resource with the same name has the same id.
    id_is_name: ClassVar[bool] = False
    # The properties that distinguish two resources of this type; a hash of them is part of the name.
    discriminators: ClassVar[tuple[str, ...]] = ()
    tagged: ClassVar[bool] = True

    # Immutable properties whose change is refused even if no data would be lost: what to do instead.
    change_remedies: ClassVar[Mapping[str, str]] = {}

    # Error codes that no retry can cure, with what a person can do.
    error_remedies: ClassVar[Mapping[str, str]] = {}
    # What to do if a resource of somebody else is in its place and another suffix would not help. Braces hold
    # actual properties.
    foreign_remedy: ClassVar[str] = ""
    # Properties that can only change in one direction. The function gets (actual, desired), and returns why
    # the change is impossible and what to do (braces hold actual properties), or "" if it is possible.
    irreversible: ClassVar[Mapping[str, Callable[[Any, Any], str]]] = {}

    ready: ClassVar[Condition] = {}
    failed: ClassVar[Condition] = NEVER
    deleting: ClassVar[Condition] = NEVER
    deleted: ClassVar[Condition] = NEVER
    # Deleted, but `restore` can bring it back with its id and its contents.
    restorable: ClassVar[Condition] = NEVER
    # What AWS goes on showing after the deletion; nothing can be done about it, so nothing waits for its end.
    expiring: ClassVar[Condition] = NEVER
    expiring_reason: ClassVar[str] = "AWS forgets it by itself"

    # Its status members with their classified values, used by `status`, `doctor`, `drift` and `report`. A
    # resource of a type without any is healthy if it exists.
    status_classes: ClassVar[tuple[StatusClasses, ...]] = ()
    # The planner needs the result of `read_status`, so a plan calls it too.
    plans_with_status_reads: ClassVar[bool] = False

    # Immutable properties: a change needs a new resource. A type without `update` keeps this default.
    immutable: ClassVar[frozenset[str]] = EVERY_NAME
    # Dotted paths of lists whose order matters.
    ordered_lists: ClassVar[frozenset[str]] = frozenset()
    # The ownership table: who owns each member that AWS returns. It covers all of botocore's model.
    ownership: ClassVar[FieldOwnership] = FieldOwnership(shapes=())
    # Fields, by dotted path, that another owner sets once the resource exists: shown, but never set back.
    field_owners: ClassVar[Mapping[str, FieldOwner]] = {}
    # Write-only properties, which AWS never returns: compared with the recorded ones.
    write_only: ClassVar[frozenset[str]] = frozenset()
    # Exclusive properties, which say who may do what: anything in them that is not declared is a difference.
    exclusive: ClassVar[frozenset[str]] = frozenset()
    # The calls of `update` that replace a whole document, each with the path of the document in the call's
    # input ("" if it is the whole input). The desired properties are merged with the actual ones
    # (`engine/execution/live_merge.py`).
    replacing_calls: ClassVar[Mapping[str, str]] = {}
    # Dotted paths in such a document. `sent_as_stated`: sent as declared, because some members exclude each other.
    # `alternatives`: removed unless declared, because they would take the place of a declared member.
    sent_as_stated: ClassVar[frozenset[str]] = frozenset()
    alternatives: ClassVar[frozenset[str]] = frozenset()
    # The values to send for properties that are no longer declared.
    defaults: ClassVar[Mapping[str, Any]] = {}

    # An existing resource with the desired properties is used as it is; it is not managed, and never deleted.
    uses_existing: ClassVar[bool] = False
    # A replacement would lose the data in it.
    holds_data: ClassVar[bool] = False
    # The properties whose values together must be unique, such as a port or a priority: the old resource is
    # deleted before a new one with the same values is created. None: the name. (): none, several resources
    # may have the same name.
    unique_properties: ClassVar[tuple[str, ...] | None] = None
    # Those of these properties that are address ranges, which must not overlap.
    cidr_properties: ClassVar[frozenset[str]] = frozenset()
    # It is a part of another resource and is deleted with it; it needs no delete call.
    deleted_with_parent: ClassVar[bool] = False
    # The property that names a resource without which it cannot exist. It is not read where that one is missing.
    container_property: ClassVar[str] = ""
    # AWS deletes it with that one: it needs no delete call if the container is deleted in the same teardown.
    deleted_with_container: ClassVar[bool] = False
    # One call deletes several in the same container (`delete_list`).
    deleted_in_lists: ClassVar[bool] = False
    # AWS has deleted it when it answers the delete call. In a teardown nothing is read then: the final check asks.
    deleted_at_reply: ClassVar[bool] = False
    # It is account-wide: created if it is missing, never deleted, and not counted as part of the stack.
    account_wide: ClassVar[bool] = False
    # Why a replaced resource is kept beside the new one until the stack is deleted; "" if it is not kept.
    retained_for: ClassVar[str] = ""
    # It is kept when it is no longer declared, as what was made with it needs it; it is deleted with the
    # stack.
    retained: ClassVar[bool] = False
    # It sends requests to others. When it is no longer declared, it is deleted before them, not after them.
    deleted_first: ClassVar[bool] = False
    # AWS may have created it before the stack, without tags; it is adopted then.
    adopts_untagged: ClassVar[bool] = False
    # Suspended by a person: it accepts neither a change nor a deletion. `resume_hint` is the command that
    # resumes it; braces hold actual properties. A recorded resource in this state does not count as `deleted`.
    suspended: ClassVar[Condition] = NEVER
    resume_hint: ClassVar[str] = ""
    # Dependents of these types need not be gone before it is deleted: their deletion need only have begun.
    deleted_alongside: ClassVar[frozenset[str]] = frozenset()
    # The values with which AWS allows its deletion; any other value is a deletion protection.
    unprotected: ClassVar[Condition] = {}
    # The command that removes such a protection; braces hold actual properties.
    unprotect_command: ClassVar[str] = ""
    # What to do if AWS reports that it failed.
    on_failure: ClassVar[Literal["refuse", "replace", "update"]] = "refuse"
    # The properties that name the resource that contains it; without them it cannot be searched.
    lookup_properties: ClassVar[tuple[str, ...]] = ()

    # What AWS charges for it. None: nobody has looked yet, and an estimate says so.
    pricing: ClassVar[Pricing | None] = None

    # The operations that its methods call, from which `policy` derives the IAM actions. A method that is not
    # listed is as in the base class. tests/resources/test_declared_calls.py compares this with the source.
    operations: ClassVar[Calls] = {}
    # Its resource type in IAM's service authorization reference, and the properties that fill the
    # placeholders of its ARN from the left; placeholders that are left become `*`. A property that is a
    # reference stands for the last placeholder of the other resource's ARN.
    iam_type: ClassVar[str] = ""
    arn_properties: ClassVar[tuple[str, ...]] = ()
    # AWS created it by itself, so it has no tags that say whose it is.
    untagged: ClassVar[bool] = False
    # It is a permissions boundary: nobody who acts under it may change it.
    limits_permissions: ClassVar[bool] = False
    # `apply` removes its unmanaged children. If False, they are only shown.
    owns_children: ClassVar[bool] = False

    # Typical seconds until ready, and until gone: they say when to read, not how long to wait.
    typical_create_seconds: ClassVar[float] = 0
    typical_delete_seconds: ClassVar[float] = 0
    timeout: ClassVar[float] = minutes(10)
    # Seconds for which reads may miss a new one.
    consistency_seconds: ClassVar[float] = 0
    # AWS accepts no change while it is not ready: it is compared once it is.
    immutable_until_ready: ClassVar[bool] = False
    # The cooldown: AWS accepts one change in so many seconds, and refuses the next with these codes.
    cooldown: ClassVar[float] = 0
    cooldown_codes: ClassVar[Codes] = frozenset()
    # Seconds after an update for which AWS may still return the former state.
    stale_seconds: ClassVar[float] = 0
    # Temporary error codes, by action; `Code: phrase` also needs the phrase in the message.
    retryable_codes: ClassVar[Mapping[str, Codes]] = {}
    # Those of the action `delete` that have no blocker as their cause: a stale read, or AWS is working on it.
    unblocked_codes: ClassVar[Codes] = frozenset()
    # Temporary codes that a missing permission causes too: retried as long as a new permission takes to work.
    retryable_denials: ClassVar[Codes] = frozenset()
    # Codes that say that it does not exist. On the create of another resource: it is not visible there yet.
    not_found_codes: ClassVar[Codes] = frozenset()
    # Codes, some with a phrase, by which calls that need it say that they do not know it, without naming it.
    unknown_reference_codes: ClassVar[Codes] = frozenset()
    # Codes of `create` that say that it exists already: perhaps from this stack, after a lost reply.
    already_exists_codes: ClassVar[Codes] = frozenset()

    @classmethod
    def owner_of(cls, path: str) -> FieldOwner | None:
        """Return the other owner of a field, listed in `field_owners` by its path or the nearest one above it."""
        names = path.split(".")
        paths = (".".join(names[:end]) for end in range(len(names), 0, -1))
        return next((cls.field_owners[owned] for owned in paths if owned in cls.field_owners), None)

    @classmethod
    def operations_of(cls, action: str) -> tuple[str, ...]:
        """Return the operations that a method calls, as its class or the nearest base class lists them."""
        declared = (vars(base).get("operations", {}) for base in cls.__mro__)
        return next((calls[action] for calls in declared if action in calls), ())


class CutoverPhase(IntEnum):
    """A phase of a cutover; it begins when all resources have finished the phase before it."""

    # A listener or rule gives the new target group weight 0; the service registers its tasks in both groups.
    JOIN = 0
    # Listeners and rules forward to the new group.
    SHIFT = 1
    # Autoscaling measures the new group.
    FOLLOW = 2
    # The service registers its tasks in the new group alone.
    LEAVE = 3
    # Nothing refers to the old group any more.
    DROP = 4
