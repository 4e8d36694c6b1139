"""What a kind is: four verbs that call boto3, and data that says when a thing is ready, failed or gone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from provisioner.engine.beats import Beat
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.owners import Owner
from provisioner.engine.refs import Doc, dig, unveiled
from provisioner.engine.refused import Holder
from provisioner.errors import ProvisionerError

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


@dataclass(frozen=True)
class Item:
    """One resource as a verb sees it: refs resolved, name and tags made, the id once it is known.

    `token` is the same for every attempt at one create, and differs for the next one.
    """

    node: str
    name: str
    suffix: str
    props: Doc = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    token: str = ""
    shunned: frozenset[str] = frozenset()
    # What AWS replied to its making, while the run that made it watches it.
    reply: Doc = field(default_factory=dict)


class Kind:
    """How AWS does one sort of thing."""

    service: ClassVar[str]
    noun: ClassVar[str] = ""
    # The property that carries the AWS name, or "" where the name is only a tag.
    named: ClassVar[str] = ""
    # Where the id stands in what `read` returns; several paths make one id, joined by a bar.
    key: ClassVar[str | tuple[str, ...]]
    # The properties that tell two of this kind apart; their hash goes into the name.
    distinct: ClassVar[tuple[str, ...]] = ()
    tagged: ClassVar[bool] = True

    # Fixed properties in which a change is refused, data or not: what a person can do instead.
    ways_out: ClassVar[Mapping[str, str]] = {}

    ready: ClassVar[Condition] = {}
    failed: ClassVar[Condition] = NEVER
    going: ClassVar[Condition] = NEVER
    gone: ClassVar[Condition] = NEVER
    # What AWS goes on telling after its end, and nothing is to be done about: not waited for.
    lingers: ClassVar[Condition] = NEVER
    why_lingers: ClassVar[str] = "AWS forgets it by itself"

    # Properties that only a new resource can change. A kind without `update` leaves this as it is.
    fixed: ClassVar[frozenset[str]] = EVERYTHING
    # Dotted paths whose lists keep their order.
    ordered: ClassVar[frozenset[str]] = frozenset()
    # Properties that another owner holds once the resource lives: shown, and never set back.
    owners: ClassVar[Mapping[str, Owner]] = {}
    # Properties that AWS never tells: compared with what the ledger confirmed.
    unread: ClassVar[frozenset[str]] = frozenset()
    # Properties that are ours whole, as they say who may do what: what else stands in one is a difference.
    whole: ClassVar[frozenset[str]] = frozenset()
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
    # What was made with it needs it still when it is no longer declared: it goes with the stack alone.
    stays: ClassVar[bool] = False
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
    # Codes that say the thing is not there. On another's create they mean: not visible there yet.
    absent: ClassVar[Codes] = frozenset()
    # Codes of `create` that say there is one already: perhaps ours, after a lost reply.
    duplicate: ClassVar[Codes] = frozenset()

    @classmethod
    def called(cls, verb: str) -> tuple[str, ...]:
        """The operations that a verb calls."""
        declared = (vars(base).get("calls", {}) for base in cls.__mro__)
        return next((calls[verb] for calls in declared if verb in calls), ())

    @abstractmethod
    def read(self, client: Any, it: Item) -> Doc | None:
        """What AWS says of it now, by id if that is known, else by the name or tags it was born with."""

    def others(self, client: Any, it: Item) -> list[Doc]:
        """Those of ours that stand beside it and bear its mark: asked where the ledger does not know it."""
        return []

    @abstractmethod
    def create(self, client: Any, it: Item) -> Doc:
        """Make it, by exactly one mutating call; what AWS replied, in the shape of `read`."""

    def update(self, client: Any, it: Item, changed: Doc) -> None:
        """Bring the changed properties to what they should be; safe to repeat."""
        raise NotImplementedError(f"{type(self).__name__} cannot change in place")

    def retag(self, client: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set and remove tags; safe to repeat."""
        raise NotImplementedError(f"{type(self).__name__} carries no tags")

    def extras(self, client: Any, it: Item, doc: Doc, inside: Inside) -> list[Extra]:
        """What lies in it, besides what is known to; read from `doc` and shared answers where they tell."""
        return []

    def remove(self, client: Any, it: Item, extra: Extra) -> None:
        """Take away one thing that nobody declared; safe to repeat."""
        raise NotImplementedError(f"{type(self).__name__} keeps what lies in it")

    def keeps(self, client: Any, it: Item) -> str:
        """For whose sake it must outlive the stack, in words; asked before its end, "" where it may go."""
        return ""

    @abstractmethod
    def delete(self, client: Any, it: Item) -> None:
        """Set its end going; may be called again at any time."""

    def last_will(self, kept: Doc, declared: Doc) -> Doc:
        """How it is to end: what AWS never tells, of what was asked at its last apply and is declared now."""
        return {key: declared[key] for key in self.unread if key in declared}

    def lost(self, props: Doc) -> str:
        """What is lost for good when it is deleted, in words; empty where nothing is."""
        return ""

    def failure(self, client: Any, it: Item, doc: Doc) -> ProvisionerError:
        """Why AWS says it failed, as the error the run ends with."""
        return ProvisionerError(f"AWS says that {it.name or it.node} failed: {unveiled(doc)}")

    def changes(self, seen: Doc, wanted: Doc) -> int:
        """How many of AWS's changes lead from what is seen to what is wanted, where AWS counts them."""
        return 1

    def deceives(self, client: Any, it: Item, since: float) -> bool:
        """Whether what looks ready is not what was asked for at the wall-clock second `since`; asked once."""
        return False

    def holders(self, client: Any, it: Item) -> list[Holder]:
        """Who keeps it from being deleted; empty where AWS does not say."""
        return []

    def about(self, doc: Doc) -> str:
        """What one that is somebody else's says of itself, where it bears no tags; "" where it does."""
        return ""

    def asks(self, doc: Doc) -> str:
        """What a person has to do before it can be ready, in words; "" where nothing is to be done."""
        return ""

    def lasts(self, doc: Doc) -> str:
        """Until when AWS goes on telling of one that is gone; "" where that is not known."""
        return ""

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """What it should be in one beat of a handover, given what AWS says of it now.

        A kind that names another thing, and must not let go of the old one before the new one serves, knows
        both in between. `led` are the ids that requests are sent to. A beat that has passed changes nothing.
        """
        return wanted

    def leads(self, doc: Doc) -> Iterable[str]:
        """The ids of those to whom it sends requests, and what it shows them."""
        return ()

    def parting(self, old: Doc, new: Doc) -> Doc:
        """What one that was put aside is to be, so that those made for the next one serve in it too."""
        return {}

    def canonical(self, doc: Doc) -> Doc:
        """`doc` with what AWS rewrites brought to one form; run on both sides of every comparison."""
        return doc

    def id_of(self, doc: Doc) -> str:
        """The id of what `read` returned."""
        paths = (self.key,) if isinstance(self.key, str) else self.key
        return "|".join(str(dig(doc, path)) for path in paths)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return type(self).__name__
