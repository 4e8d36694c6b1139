"""One resource in hand, and what AWS says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import Clients
from provisioner.engine.explain import explained
from provisioner.engine.extras import Extra, Inside, Part
from provisioner.engine.faults import code_of, is_unknown_call
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc, Lookup, Unknown
from provisioner.engine.waits import until
from state.document import Entry


@dataclass(frozen=True)
class Target:
    """A resource that is being worked on: its kind, where it lives, and what its verbs are told."""

    kind: Kind
    it: Item
    region: str = ""
    needs: tuple[str, ...] = ()
    piece: str = ""
    lookup: Lookup = Unknown
    # What it is a part of and whose id is but a name, where it is to be deleted.
    hosts: tuple[Target, ...] = ()
    # Seconds that are waited for it; None where its kind says it.
    waits: float | None = None

    @property
    def patience(self) -> float:
        """Seconds that are waited for it."""
        return self.kind.patience if self.waits is None else self.waits

    def with_id(self, id_: str) -> Target:
        """The same, its id known."""
        return replace(self, it=replace(self.it, id=id_))

    def made(self, id_: str, reply: Doc) -> Target:
        """The same, made or changed by this run: its id, and what AWS replied."""
        return replace(self, it=replace(self.it, id=id_, reply=reply))

    def shaped(self, props: Doc) -> Target:
        """The same, other properties asked of it."""
        return replace(self, it=replace(self.it, props=props))

    def bearing(self, tags: Mapping[str, str]) -> Target:
        """The same, with more tags."""
        return replace(self, it=replace(self.it, tags={**self.it.tags, **tags}))

    @property
    def words(self) -> str:
        """The resource in a message."""
        return f"{self.kind} {self.it.name or self.it.node}"


# What a field holds of which an emulator has no word.
_NO_WORD: tuple[Any, ...] = (None, "", [], {})
# How long AWS may hide what it has made, or what it says is there.
HIDES = 60.0


def still_hides(clients: Clients, made: float) -> float:
    """Seconds for which AWS may still hide a thing that it made at the wall-clock second `made`.

    Where answers are shared, counted from when they may have been given.
    """
    window = clients.aws.hides(HIDES)
    left = made + window - (clients.since or clients.clock.wall())
    return max(0.0, min(left, window)) if made else 0.0


def lacks(clients: Clients, target: Target, error: BaseException) -> bool:
    """Return whether an emulator has nothing like the resource: it does not know the call. AWS never does."""
    return is_unknown_call(error) and clients.aws.is_emulated(target.kind.service, target.region)


def read(clients: Clients, target: Target) -> Doc | None:
    """What AWS says of a resource; None where it is not there, or cannot be as what it lies in is not.

    None as well where an emulator lacks all of its like.
    """
    client = clients.client(target.kind.service, target.region)
    try:
        doc = target.kind.read(client, target.it)
    except (ClientError, UnknownCall) as error:
        if code_of(error) in target.kind.absent or lacks(clients, target, error):
            return None
        raise
    return None if doc is not None and target.kind.id_of(doc) in target.it.shunned else doc


def look(shared: Clients, target: Target, entry: Entry | None) -> Doc | None:
    """What AWS says of a resource that the ledger knows by this entry, if it does."""
    if entry and entry.confirmed is not None and is_lacking(shared, target):
        return {**entry.confirmed, **_own_tags(target)}
    if entry is None or shared.aws.echoes:
        return _look(shared, target, entry.made if entry else 0.0)
    doc = _look(shared, target, 0.0 if target.kind.shared else entry.made)
    # What belongs to the account serves under whatever name an emulator gave it.
    return _recalled(target, doc, entry) if doc else entry.confirmed if target.kind.shared else None


def is_lacking(clients: Clients, target: Target) -> bool:
    """Return whether an emulator has nothing like the resource; one read is made, on emulators alone."""
    if not clients.aws.is_emulated(target.kind.service, target.region):
        return False
    try:
        target.kind.read(clients.client(target.kind.service, target.region), target.it)
    except (ClientError, UnknownCall) as error:
        return lacks(clients, target, error)
    return False


def _recalled(target: Target, doc: Doc, entry: Entry) -> Doc:
    """What an emulator says; for what it has no word of at all, what was confirmed last."""
    if entry.confirmed is None or entry.id != target.kind.id_of(doc):
        return doc
    borne = {} if doc.get("Tags") else _own_tags(target)
    return {**_filled(entry.confirmed, doc), **borne}


def _filled(confirmed: Doc, told: Doc) -> Doc:
    """What an emulator tells; what it leaves out or gives back empty, at any depth, as it was confirmed."""
    kept = {key: value for key, value in told.items() if value not in _NO_WORD or key not in confirmed}
    inner = {
        key: _filled(confirmed[key], value)
        for key, value in kept.items()
        if isinstance(value, dict) and isinstance(confirmed.get(key), dict)
    }
    return {**confirmed, **kept, **inner}


def _own_tags(target: Target) -> Doc:
    return {"Tags": dict(target.it.tags)} if target.kind.tagged else {}


def _look(shared: Clients, target: Target, made: float) -> Doc | None:
    """What AWS says of it, asked anew while AWS may still hide what it made at `made`.

    One that is older and is not seen is asked for a second time: a miss alone is no end.
    """
    anew = shared.anew()
    # As of before the read: what was hidden from it need not be hidden any more when it ends.
    left = still_hides(shared, made)
    doc = read(shared, target)
    if doc is not None or not target.it.id:
        return doc
    if left:
        return until(lambda: read(anew, target), clock=anew.clock, due=0, patience=left, hidden=left)
    return read(anew, target)


def observed(clients: Clients, target: Target, doc: Doc, made: float) -> Doc:
    """What AWS says of a resource, with what only a call of its own tells of its state.

    Not asked of what waits aside for its end, nor of an emulator that forgets. What is made anew where it is
    not seen is asked for when AWS can hide it no more: the resource was made at the wall-clock second `made`.
    """
    if "~" in target.it.node or not clients.aws.echoes:
        return doc
    if target.kind.decided_by_observation and still_hides(clients, made):
        return doc
    try:
        return target.kind.observe(clients.client(target.kind.service, target.region), target.it, doc)
    except ClientError as error:
        if code_of(error) in target.kind.absent:
            return doc
        raise


def extras_in(clients: Clients, target: Target, doc: Doc, parts: Iterable[Part]) -> list[Extra]:
    """What lies in a resource besides all `parts` that are known to; none where it went meanwhile."""
    client = clients.client(target.kind.service, target.region)
    with explained(f"looking into {target.words}"):
        try:
            return target.kind.extras(client, target.it, doc, Inside.of(target.it.id, parts))
        except (ClientError, UnknownCall) as error:
            if code_of(error) in target.kind.absent or lacks(clients, target, error):
                return []
            raise
