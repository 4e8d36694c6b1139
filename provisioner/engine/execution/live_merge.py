"""Ours merged into the live document, for calls that replace a whole document: what others set in it stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import is_default, item_name, only_ours


@dataclass(frozen=True)
class Shapes:
    """The input shapes of the calls that together take one document; if empty, any member is accepted."""

    shapes: tuple[Any, ...] = ()

    @classmethod
    def of(cls, model: Any, calls: Mapping[str, str]) -> Shapes:
        """Return the shapes of a service model's operations.

        `calls` maps each operation to the path of the document in its input.
        """
        found = []
        for operation, path in calls.items():
            shape = model.operation_model(operation).input_shape
            for name in path.split("."):
                shape = _inner(shape, name) if name else shape
            found.append(getattr(shape, "member", shape))
        return cls(tuple(found))

    def takes(self, name: str) -> bool:
        """Return whether the calls accept a member of this name."""
        return all(one.type_name != "structure" for one in self.shapes) or any(
            name in getattr(one, "members", {}) for one in self.shapes
        )

    @property
    def is_map(self) -> bool:
        """Whether the document is a map, whose keys are free."""
        return any(one.type_name == "map" for one in self.shapes)

    def member(self, name: str) -> Shapes:
        """Return the shapes of one member."""
        inner = (_inner(one, name) for one in self.shapes)
        return Shapes(tuple(one for one in inner if one is not None))

    @property
    def items(self) -> Shapes:
        """The shapes of the items of a list."""
        return Shapes(tuple(one.member for one in self.shapes if one.type_name == "list"))


def _inner(shape: Any, name: str) -> Any:
    if shape.type_name == "map":
        return shape.value
    return getattr(shape, "members", {}).get(name)


def merge_into_live(
    client: Any, resource_type: ResourceType, spec: ResourceSpec, changed: JsonObject, before: JsonObject
) -> tuple[ResourceSpec, JsonObject]:
    """Return `spec` and `changed` merged with the actual properties, if the update replaces a whole document.

    Args:
        client: The boto3 client of the service.
        resource_type: The resource type; only its `replaces` calls need a merge.
        spec: The resource with its desired properties.
        changed: The properties to change.
        before: The properties that were recorded last.

    """
    if not resource_type.replacing_calls:
        return spec, changed
    there = _standing(client, resource_type, spec)
    ours = keep_external_values(resource_type, there, {**spec.props, **changed})
    props = merge_documents(resource_type, there, ours, before, client.input_shapes(resource_type.replacing_calls))
    return replace(spec, props=props, live=there), {key: props[key] for key in changed}


def _standing(client: Any, resource_type: ResourceType, spec: ResourceSpec) -> JsonObject:
    """Return the actual properties right before the change; empty if the resource does not exist."""
    try:
        return resource_type.read_before_replace(client, spec) or {}
    except ClientError as error:
        if code_of(error) not in resource_type.not_found_codes:
            raise
        return {}


def keep_external_values(resource_type: ResourceType, there: JsonObject, ours: JsonObject) -> dict[str, Any]:
    """Return `ours` with the actual value of each property that another field owner holds now."""
    held = {
        key
        for key, owner in resource_type.field_owners.items()
        if key in ours and key in there and owner.owns(there, there[key], ours[key])
    }
    return {key: there[key] if key in held else value for key, value in ours.items()}


def merge_documents(
    resource_type: ResourceType, there: JsonObject, ours: JsonObject, before: JsonObject, takes: Shapes
) -> dict[str, Any]:
    """Return the properties to send: `ours`, and all else in `there` that the calls accept.

    A member that `before`, the last recorded properties, has and `ours` has not was set by this stack, and is
    removed. Exclusive properties (`whole`, `exact`) are sent as they are declared, with the items that known
    other owners have put into them.
    """
    return dict(_Overlay(resource_type).merged(there, ours, before, takes, ""))


@dataclass(frozen=True)
class _Overlay:
    """One merge for a resource type; a path is the dotted names of the members, without list positions."""

    kind: ResourceType

    def merged(self, there: Any, ours: Any, before: Any, takes: Shapes, path: str) -> Any:
        # Mappings are merged member by member, lists item by item; any other value is sent as it is declared.
        if path in self.kind.exclusive | self.kind.sent_as_stated:
            return self.with_guests(there, ours, path)
        if isinstance(there, Mapping) and isinstance(ours, Mapping):
            if path and ours and not takes.is_map and ours.keys().isdisjoint(there):
                return ours  # the actual value is another alternative of this union, set by somebody else
            kept = dict(self.kept(there, {*ours, *_doc(before)}, takes, path))
            return kept | {
                key: self.merged(there.get(key), one, _doc(before).get(key), takes.member(key), _at(path, key))
                for key, one in ours.items()
            }
        if isinstance(there, list) and isinstance(ours, list):
            return [
                self.merged(_like(one, there), one, _like(one, before), takes.items, path) for one in ours
            ] + self.guests(there, path)
        return ours

    def kept(self, there: Mapping[str, Any], known: set[str], takes: Shapes, path: str) -> Iterator[tuple[str, Any]]:
        """Yield each actual member that the calls accept and that neither is declared nor was before.

        A managed member is only kept at its default. Another value is replaced by the default, or left out if
        there is none.
        """
        members = self.kind.ownership
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
        """Return an actual value without the members that the calls do not accept."""
        if isinstance(value, Mapping):
            return dict(self.kept(value, set(), takes, path))
        return [self.taken(one, takes.items, path) for one in value] if isinstance(value, list) else value

    def with_guests(self, there: Any, ours: Any, path: str) -> Any:
        """Return an exclusive value as declared, with the items that known other owners have put into it."""
        if isinstance(there, Mapping) and isinstance(ours, Mapping):
            guests = {key: one for key, one in there.items() if key not in ours and self.stays(path, key, one)}
            return guests | {key: self.with_guests(there.get(key), one, _at(path, key)) for key, one in ours.items()}
        if isinstance(there, list) and isinstance(ours, list):
            return [*ours, *self.guests(there, path)]
        return ours

    def guests(self, there: Sequence[Any], path: str) -> list[Any]:
        """Return the items of a list that a known other owner has put into it."""
        return [one for one in there if isinstance(one, Mapping) and self.stays(path, item_name(one), one)]

    def stays(self, path: str, name: str, item: Any) -> bool:
        at = _at(path, name)
        return bool(self.kind.ownership.foreign_owner(at, item)) or self.kind.ownership.is_unowned(at)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _doc(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _like(item: Any, listed: Any) -> Any:
    """Return the item of a list that has the same name as `item`; if items have no names, the only one."""
    if not isinstance(listed, list) or not isinstance(item, Mapping):
        return None
    if name := item_name(item):
        return next((one for one in listed if item_name(one) == name), None)
    return listed[0] if len(listed) == 1 else None
