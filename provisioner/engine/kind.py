"""What a kind does: four verbs that call boto3, and what it answers about one of its resources."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.beats import Beat
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.private import masked
from provisioner.engine.refs import Doc, dig
from provisioner.engine.refused import Holder, Refusal
from provisioner.engine.traits import Traits
from provisioner.errors import ProvisionerError


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
    # What AWS replied to its making or change, while the run that did it watches it.
    reply: Doc = field(default_factory=dict)
    # What `standing` told right before a change that replaces it whole.
    there: Doc = field(default_factory=dict)


class Kind(Traits):
    """How AWS does one sort of thing."""

    @abstractmethod
    def read(self, client: Any, it: Item) -> Doc | None:
        """What AWS says of it now, by id if that is known, else by the name or tags it was born with."""

    def others(self, client: Any, it: Item) -> list[Doc]:
        """Those of ours that stand beside it and bear its mark: asked where the ledger does not know it."""
        return []

    @abstractmethod
    def create(self, client: Any, it: Item) -> Doc:
        """Make it, by exactly one mutating call; what AWS replied, in the shape of `read`."""

    def bring_back(self, client: Any, it: Item) -> Doc | None:
        """Bring back one of ours that AWS still holds after its end (`returns`), by one mutating call.

        Return what AWS replied, in the shape of `read`; None where there is none, and it is to be made.
        """
        return None

    def standing(self, client: Any, it: Item) -> Doc | None:
        """What stands right before a change that replaces it whole, with the token that such a call wants."""
        return self.read(client, it)

    def update(self, client: Any, it: Item, changed: Doc) -> Doc | None:
        """Bring the changed properties to what they should be; safe to repeat. What `read` is to watch by.

        Where a call replaces a whole document (`replaces`), `it` and `changed` are laid over what stands.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot change in place")

    def observe(self, client: Any, it: Item, doc: Doc) -> Doc:
        """Return what `read` told, with the members of its `states` that a call of their own tells."""
        return doc

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

    def leaves(self, doc: Doc) -> str:
        """What AWS made beside it and leaves when it goes, by what `read` told: in words, with its end."""
        return ""

    def outlives(self, props: Doc) -> str:
        """Why it is left standing, as is known before anyone is asked; "" where it goes."""
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
        return ProvisionerError(f"AWS says that {it.name or it.node} failed: {masked(doc)}")

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

    def under_way(self, doc: Doc, wanted: Doc) -> str:
        """What AWS is at work on in it, and for whom, in words; "" where it is at work on nothing.

        `wanted` is what the last run of this state asked for.
        """
        return ""

    def takes_more(self, doc: Doc) -> float:
        """Seconds that AWS was told to take beside its usual time: they are added to `patience`."""
        return 0.0

    def lasts(self, doc: Doc) -> str:
        """Until when AWS goes on telling of one that is gone; "" where that is not known."""
        return ""

    def at_first(self, wanted: Doc, led: Set[str], former: Mapping[str, str]) -> Doc:
        """What one that led to nobody is at first, given who is led to, and who takes over from these."""
        return wanted

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """What it should be in one beat of a handover, given what AWS says of it now.

        A kind that names another thing, and must not let go of the old one before the new one serves, knows
        both in between. `led` are the ids that requests are sent to. A beat that has passed changes nothing.
        """
        return wanted

    def refuses(self, client: Any, doc: Doc, changed: Set[str]) -> list[Refusal]:
        """Return why AWS would refuse a change of these properties, given what it says now."""
        return []

    def protections(self, client: Any, it: Item) -> list[str]:
        """Return what keeps it from being deleted, is told by no read and ended by `lift`, in words."""
        return []

    def lift(self, client: Any, it: Item) -> None:
        """End what `protections` tells; safe to repeat."""

    def relies_on(self, doc: Doc) -> Mapping[str, Refusal]:
        """By the id of each other resource that it was told of and cannot do without: why, and what to do."""
        return {}

    def leads(self, doc: Doc) -> Iterable[str]:
        """The ids of those to whom it sends requests, and what it shows them."""
        return ()

    def stand_ins(self, doc: Doc) -> Mapping[str, str]:
        """By the id of one that is declared, the id of whom requests are led to in its place by another."""
        return {}

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
