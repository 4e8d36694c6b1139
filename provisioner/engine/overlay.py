"""Ours laid over what stands, for calls that replace a whole document: what others set in it stays.

Three-way, at every depth: what AWS tells now, what is stated, and what was confirmed last. A member that
stands and that nobody states is sent back, unless it was ours before. Which members a call takes is told by
its input shape in botocore's model: ids, dates and whatever else AWS only tells is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.additions import is_default, named, only_ours
from provisioner.engine.faults import code_of
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.shapes import Shapes


def over_what_stands(client: Any, kind: Kind, it: Item, changed: Doc, before: Doc) -> tuple[Item, Doc]:
    """What is to change, laid over what stands now, where a call of its update replaces a whole document."""
    if not kind.replaces:
        return it, changed
    there = _standing(client, kind, it)
    ours = left_to_owners(kind, there, {**it.props, **changed})
    props = laid_over(kind, there, ours, before, client.inputs(kind.replaces))
    return replace(it, props=props, there=there), {key: props[key] for key in changed}


def _standing(client: Any, kind: Kind, it: Item) -> Doc:
    """What AWS tells of it right before the change; nothing where it is not there."""
    try:
        return kind.standing(client, it) or {}
    except ClientError as error:
        if code_of(error) not in kind.absent:
            raise
        return {}


def left_to_owners(kind: Kind, there: Doc, ours: Doc) -> dict[str, Any]:
    """Return `ours` with what stands in place of each property that another owner holds now."""
    held = {
        key
        for key, owner in kind.owners.items()
        if key in ours and key in there and owner.has(there, there[key], ours[key])
    }
    return {key: there[key] if key in held else value for key, value in ours.items()}


def laid_over(kind: Kind, there: Doc, ours: Doc, before: Doc, takes: Shapes) -> dict[str, Any]:
    """Return the properties to send: `ours`, and all else that stands `there` and the calls take.

    `before` is what was confirmed last: what it states and `ours` does not was ours, and goes. What is ours
    whole (`whole`, `exact`) is sent as it is stated, with the items that guests have put into it.
    """
    return dict(_Overlay(kind).merged(there, ours, before, takes, ""))


@dataclass(frozen=True)
class _Overlay:
    """One merge; paths are the names of members on the way, lists left out."""

    kind: Kind

    def merged(self, there: Any, ours: Any, before: Any, takes: Shapes, path: str) -> Any:
        if path in self.kind.whole | self.kind.exact:
            return self.with_guests(there, ours, path)
        if isinstance(there, Mapping) and isinstance(ours, Mapping):
            if path and ours and not takes.is_map and ours.keys().isdisjoint(there):
                return ours  # another alternative was taken, by somebody
            kept = dict(self.kept(there, {*ours, *_doc(before)}, takes, path))
            return kept | {
                key: self.merged(
                    there.get(key), one, _doc(before).get(key), takes.member(key), _at(path, key)
                )
                for key, one in ours.items()
            }
        if isinstance(there, list) and isinstance(ours, list):
            return [
                self.merged(_like(one, there), one, _like(one, before), takes.items, path) for one in ours
            ] + self.guests(there, path)
        return ours

    def kept(
        self, there: Mapping[str, Any], known: set[str], takes: Shapes, path: str
    ) -> Iterator[tuple[str, Any]]:
        """Each member that stands, that the calls take, and that is stated by nobody and was not ours.

        Of one that the table of owners says is ours, its default.
        """
        members = self.kind.members
        for key, value in there.items():
            at = _at(path, key)
            if key in known or not takes.takes(key) or at in self.kind.alternatives or members.are_tags(at):
                continue
            if not members.is_ours(at):
                yield key, self.taken(value, takes.member(key), at)
                continue
            default = members.default(at)
            if is_default(members, at, only_ours(members, value, at)):
                yield key, value
            elif default is not None and not isinstance(default, frozenset):
                yield key, default

    def taken(self, value: Any, takes: Shapes, path: str) -> Any:
        """What stands, as far as the calls take it."""
        if isinstance(value, Mapping):
            return dict(self.kept(value, set(), takes, path))
        return [self.taken(one, takes.items, path) for one in value] if isinstance(value, list) else value

    def with_guests(self, there: Any, ours: Any, path: str) -> Any:
        """What is ours whole, with what guests have put into it."""
        if isinstance(there, Mapping) and isinstance(ours, Mapping):
            guests = {
                key: one for key, one in there.items() if key not in ours and self.stays(path, key, one)
            }
            return guests | {
                key: self.with_guests(there.get(key), one, _at(path, key)) for key, one in ours.items()
            }
        if isinstance(there, list) and isinstance(ours, list):
            return [*ours, *self.guests(there, path)]
        return ours

    def guests(self, there: Sequence[Any], path: str) -> list[Any]:
        """The items of a list that bear a guest's name."""
        return [one for one in there if isinstance(one, Mapping) and self.stays(path, named(one), one)]

    def stays(self, path: str, name: str, item: Any) -> bool:
        at = _at(path, name)
        return bool(self.kind.members.guest(at, item)) or self.kind.members.is_nobodys(at)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _doc(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _like(item: Any, listed: Any) -> Any:
    """The item of a list that is about the same: of the same name; where items have none, the only one."""
    if not isinstance(listed, list) or not isinstance(item, Mapping):
        return None
    if name := named(item):
        return next((one for one in listed if named(one) == name), None)
    return listed[0] if len(listed) == 1 else None
