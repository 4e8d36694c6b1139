"""Uniqueness conflicts: what only one resource may hold at a time, and what is deleted first to free it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from provisioner.engine.critical import inverted
from provisioner.engine.graph import Node
from provisioner.engine.kind import Kind
from provisioner.engine.refs import Doc, is_known
from state.document import Document, Entry

# By name, the names in the state that are deleted before it.
Before = dict[str, set[str]]


def clash(kind: Kind, one: Doc, other: Doc) -> bool:
    """Return whether two resources of a type conflict, so that AWS holds only one of them at a time.

    They do where each of their unique properties (`claims`; by default the name) is equal or, as a CIDR,
    overlaps.
    """
    named = (kind.named,) if kind.named else ()
    claims = named if kind.claims is None else kind.claims
    stated = any(one.get(key) is not None for key in claims)
    return stated and all(_same(kind, key, one.get(key), other.get(key)) for key in claims)


def _same(kind: Kind, key: str, one: Any, other: Any) -> bool:
    if key in kind.ranges and isinstance(one, str) and isinstance(other, str):
        return ip_network(one).overlaps(ip_network(other))
    return bool(one == other)


def own_entry(document: Document, node: Node, wanted: Doc) -> Entry | None:
    """Find the state's entry of a declared resource; depose it, or bring a deposed one back, where needed.

    A deposed entry whose unique properties are desired again takes its place back. An entry that lies in
    another parent than the desired one is deposed, and None is returned: the resource can be looked for only
    in the desired parent.
    """
    entries, entry = document.entries, document.entries.get(node.name)
    if entry and clash(node.kind, wanted, entry.wanted):
        return entry
    for name, old in entries.copy().items():
        if name.startswith(f"{node.name}~") and clash(node.kind, wanted, old.wanted):
            if entry and (entry.id or entry.intent):
                document.rename(node.name, f"{node.name}~{entry.id or _unheard_of(entry)}")
            document.rename(name, node.name)
            return old
    if entry and (entry.id or entry.intent) and _is_elsewhere(node.kind, wanted, entry.wanted):
        document.rename(node.name, f"{node.name}~{entry.id or _unheard_of(entry)}")
        return None
    return entry


def _is_elsewhere(kind: Kind, wanted: Doc, known: Doc) -> bool:
    """Return whether a resource that is unique in its parent is now desired in another parent."""
    claims_place = bool(kind.within) and not kind.vanishes and set(kind.within) <= set(kind.claims or ())
    return claims_place and any(is_known(wanted.get(key)) and wanted.get(key) != known.get(key) for key in kind.within)


def _unheard_of(entry: Entry) -> str:
    """Return a substitute for the unknown id of a resource that a killed run may have created."""
    return f"?{entry.intent.token}" if entry.intent else ""


def in_the_way(
    new: Iterable[Node], wanted_of: Callable[[Node], Doc], going: Mapping[str, Entry]
) -> tuple[Before, Before]:
    """Return which resources must be deleted before new ones can be created.

    Args:
        new: The declared resources that are to be created or replaced.
        wanted_of: Returns the desired properties of one of them.
        going: The entries, by name, of the resources that are to be deleted.

    Returns:
        Two mappings: from each new resource to the names in `going` that conflict with it, and from each name
        that has to go early to the names that need it and so are deleted before it.

    """
    takes: Before = {}
    for node in new:
        wanted = wanted_of(node)
        for name, entry in going.items():
            alike = (entry.kind, entry.region) == (str(node.kind), node.region)
            if alike and clash(node.kind, wanted, entry.wanted):
                takes.setdefault(node.name, set()).add(name)
    first = inverted({name: entry.needs for name, entry in going.items()})
    early: Before = {}
    ahead = [name for names in takes.values() for name in names]
    while ahead:
        name = ahead.pop()
        if name not in early:
            early[name] = first[name]
            ahead += first[name]
    return takes, early
