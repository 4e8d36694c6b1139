"""What a kind says of itself as data: when it is ready, failed or gone, what may change, its times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from provisioner.engine.owners import Members, Owner
from provisioner.engine.states import States

Condition = Mapping[str, Any]
Codes = frozenset[str]
Calls = Mapping[str, tuple[str, ...]]

NEVER: Condition = {"never": True}


def minutes(count: float) -> float:
    """Minutes as the seconds that every duration here is kept in."""
    return 60 * count


def codes(*names: str) -> Codes:
    """Wire codes, as they stand in `ClientError.response["Error"]["Code"]`."""
    return frozenset(names)


def calling(**verbs: str) -> Calls:
    """The operations that each verb calls, in AWS's own names, with a blank between several."""
    return {verb: tuple(named.split()) for verb, named in verbs.items()}


class Everything(frozenset[str]):
    """The set that holds every name: nothing of such a kind can change in place."""

    def __contains__(self, _name: object) -> bool:
        return True


EVERYTHING = Everything()


class Traits:
    """The data of a kind; each one that is not given stays as it is here."""

    service: ClassVar[str]
    noun: ClassVar[str] = ""
    # The property that carries the AWS name, or "" where the name is only a tag.
    named: ClassVar[str] = ""
    # Where the id stands in what `read` returns; several paths make one id, joined by a bar.
    key: ClassVar[str | tuple[str, ...]]
    # Its id is made of its name: whoever bears the name bears the id.
    id_is_name: ClassVar[bool] = False
    # The properties that tell two of this kind apart; their hash goes into the name.
    distinct: ClassVar[tuple[str, ...]] = ()
    tagged: ClassVar[bool] = True

    # Fixed properties in which a change is refused, data or not: what a person can do instead.
    ways_out: ClassVar[Mapping[str, str]] = {}

    # Codes that no time cures: what a person can do, in words.
    ways_past: ClassVar[Mapping[str, str]] = {}
    # What a person does where somebody else's is in its place and another suffix is no way out, with fields
    # of what is seen in its braces.
    when_anothers: ClassVar[str] = ""
    # Properties that go one way alone: why what is wanted is behind what is seen, and what to do, with fields
    # of what is seen in its braces; "" where it is not.
    one_way: ClassVar[Mapping[str, Callable[[Any, Any], str]]] = {}

    ready: ClassVar[Condition] = {}
    failed: ClassVar[Condition] = NEVER
    going: ClassVar[Condition] = NEVER
    gone: ClassVar[Condition] = NEVER
    # Gone, and `bring_back` makes it what it was: with its id and all that it held.
    returns: ClassVar[Condition] = NEVER
    # What AWS goes on telling after its end, and nothing is to be done about: not waited for.
    lingers: ClassVar[Condition] = NEVER
    why_lingers: ClassVar[str] = "AWS forgets it by itself"

    # Its states by the members that tell them, each classed once: `status`, `doctor`, `drift` and `report`
    # go by these. A resource type that has none is healthy where it is there.
    states: ClassVar[tuple[States, ...]] = ()
    # What `observe` tells decides what is done about it: a plan asks for it, too.
    decided_by_observation: ClassVar[bool] = False

    # Properties that only a new resource can change. A kind without `update` leaves this as it is.
    fixed: ClassVar[frozenset[str]] = EVERYTHING
    # Dotted paths whose lists keep their order.
    ordered: ClassVar[frozenset[str]] = frozenset()
    # Whose each member is that AWS tells of it: the table of owners, which covers all of botocore's model.
    members: ClassVar[Members] = Members(told=())
    # Fields, by dotted path, that another owner holds once the resource lives: shown, and never set back.
    owners: ClassVar[Mapping[str, Owner]] = {}
    # Properties that AWS never tells: compared with what the ledger confirmed.
    unread: ClassVar[frozenset[str]] = frozenset()
    # Properties that are ours whole, as they say who may do what: what else stands in one is a difference.
    whole: ClassVar[frozenset[str]] = frozenset()
    # The calls of `update` that replace a whole document, each with the path to it in what the call takes (""
    # where that is its properties): what is declared is laid over what stands (`engine/overlay.py`).
    replaces: ClassVar[Mapping[str, str]] = {}
    # Dotted paths in such a document of what is sent as it is stated, as its members do not all go together;
    # and of what goes where nobody states it, as it takes the place of what is stated.
    exact: ClassVar[frozenset[str]] = frozenset()
    alternatives: ClassVar[frozenset[str]] = frozenset()
    # What AWS takes for a property that is no longer stated.
    defaults: ClassVar[Mapping[str, Any]] = {}

    # One that is there already, and is just as wanted, serves: it is not ours, and never deleted.
    borrows: ClassVar[bool] = False
    # Replacing it would lose what is in it.
    holds_data: ClassVar[bool] = False
    # The properties that together only one may hold at a time (a port, a priority): who holds them goes
    # before the next one comes. None: its name; (): nothing, several of one name stand side by side.
    claims: ClassVar[tuple[str, ...] | None] = None
    # Those of them that are address ranges, and so may not overlap.
    ranges: ClassVar[frozenset[str]] = frozenset()
    # It is a part of another resource and goes with it; there is nothing to delete.
    vanishes: ClassVar[bool] = False
    # It belongs to the account: made when missing, never deleted, not counted as the stack's.
    shared: ClassVar[bool] = False
    # One that was replaced is kept beside the new one, for the sake of this: it goes with the stack alone.
    kept_for: ClassVar[str] = ""
    # What was made with it needs it still when it is no longer declared: it goes with the stack alone.
    stays: ClassVar[bool] = False
    # It leads requests to others: where it is no longer declared it goes before them, and not after them.
    goes_first: ClassVar[bool] = False
    # AWS may have made it before us, without tags; then it becomes ours.
    adopts_untagged: ClassVar[bool] = False
    # A state that a person brought about, and that takes neither a change nor a deletion; `wake` ends it,
    # with a field of what is seen in its braces. One that the ledger holds is not taken for `gone` in it.
    halted: ClassVar[Condition] = NEVER
    wake: ClassVar[str] = ""
    # Of these kinds that need it, the end must only have begun before its own can.
    goes_beside: ClassVar[frozenset[str]] = frozenset()
    # The values with which AWS would delete it: what else stands there is a protection.
    unprotected: ClassVar[Condition] = {}
    # The command that takes such a protection off, with fields of what is seen in its braces.
    unprotected_by: ClassVar[str] = ""
    # What to do about one that AWS says failed.
    on_failure: ClassVar[Literal["refuse", "replace", "update"]] = "refuse"
    # Properties without which it cannot be looked for: those that name what it lies in.
    within: ClassVar[tuple[str, ...]] = ()

    # What its verbs call: `policy` asks IAM for these. A verb that is not named is as its base says.
    # tests/test_calls.py holds it against the source.
    calls: ClassVar[Calls] = {}
    # What IAM takes it for: its type in the service authorization reference, and what fills the places of its
    # ARN from the left, each place that is not filled by `*`. A property that is a ref stands for that
    # other resource's own last one.
    resource: ClassVar[str] = ""
    fills: ClassVar[tuple[str, ...]] = ()
    # AWS made it by itself, and it bears no tags that could tell whose it is.
    untagged: ClassVar[bool] = False
    # It bounds what others may do: nobody who acts under it may change it.
    bounds: ClassVar[bool] = False
    # What lies in it is owned whole: `apply` removes what nobody declared. Else it is only shown.
    owns_inside: ClassVar[bool] = False

    # Typical seconds until ready, and until gone: when to look, not how long to wait.
    takes: ClassVar[float] = 0
    takes_to_go: ClassVar[float] = 0
    patience: ClassVar[float] = minutes(10)
    # How long AWS may hide a new one from reads.
    visible_within: ClassVar[float] = 0
    # AWS takes no change while it is not ready: what differs is looked at again once it is.
    closed_until_ready: ClassVar[bool] = False
    # AWS takes one change in so many seconds, and refuses the next with these codes.
    interval: ClassVar[float] = 0
    too_soon: ClassVar[Codes] = frozenset()
    # How long after an update AWS may still tell the old state.
    stale_for: ClassVar[float] = 0
    # Codes that time cures, per verb; `Code: phrase` wants the phrase in the message too.
    transient: ClassVar[Mapping[str, Codes]] = {}
    # Those of `delete` that name no holder: it was read stale, or AWS is at work on it.
    unheld: ClassVar[Codes] = frozenset()
    # Those of them that a missing right is told by too: waited for as long as a right takes to be learnt.
    or_denied: ClassVar[Codes] = frozenset()
    # Codes that say the thing is not there. On another's create they mean: not visible there yet.
    absent: ClassVar[Codes] = frozenset()
    # Codes, some with a phrase, by which calls that need one and do not name it say that they do not know it.
    unknown_as: ClassVar[Codes] = frozenset()
    # Codes of `create` that say there is one already: perhaps ours, after a lost reply.
    duplicate: ClassVar[Codes] = frozenset()

    @classmethod
    def owner_of(cls, path: str) -> Owner | None:
        """Who else may hold a field: by its own path, or the next above that is named in `owners`."""
        names = path.split(".")
        paths = (".".join(names[:end]) for end in range(len(names), 0, -1))
        return next((cls.owners[one] for one in paths if one in cls.owners), None)

    @classmethod
    def called(cls, verb: str) -> tuple[str, ...]:
        """The operations that a verb calls."""
        declared = (vars(base).get("calls", {}) for base in cls.__mro__)
        return next((calls[verb] for calls in declared if verb in calls), ())
