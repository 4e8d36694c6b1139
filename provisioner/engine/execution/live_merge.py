"""The merge of desired properties into the live ones, for calls that replace a whole document.

What others have set in the document stays. The merge is three-way at every depth: live, desired and last recorded. A
live member that is not declared is sent back, unless this stack had set it before. The members that a call accepts are
those of its input shape in botocore's model, which leaves out ids, dates and all else that AWS only returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.input_shapes import Shapes
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import is_default, item_name, only_ours


def merge_into_live(
    client: Any, resource_type: ResourceType, spec: ResourceSpec, changed: JsonObject, recorded: JsonObject
) -> tuple[ResourceSpec, JsonObject]:
    """Return `spec` and `changed` merged with the actual properties, if the update replaces a whole document.

    Args:
        client: The boto3 client of the service.
        resource_type: The resource type; only its `replacing_calls` need a merge.
        spec: The resource with its desired properties.
        changed: The properties to change.
        recorded: The properties that were recorded last.

    """
    if not resource_type.replacing_calls:
        return spec, changed
    live = _read_live(client, resource_type, spec)
    desired = keep_external_values(resource_type, live, {**spec.props, **changed})
    props = merge_documents(resource_type, live, desired, recorded, client.input_shapes(resource_type.replacing_calls))
    return replace(spec, props=props, live=live), {key: props[key] for key in changed}


def _read_live(client: Any, resource_type: ResourceType, spec: ResourceSpec) -> JsonObject:
    """Return the actual properties right before the change; empty if the resource does not exist."""
    try:
        return resource_type.read_before_replace(client, spec) or {}
    except ClientError as error:
        if code_of(error) not in resource_type.not_found_codes:
            raise
        return {}


def keep_external_values(resource_type: ResourceType, live: JsonObject, desired: JsonObject) -> dict[str, Any]:
    """Return `desired` with the actual value of each property that another field owner holds now."""
    external = {
        key
        for key, owner in resource_type.field_owners.items()
        if key in desired and key in live and owner.owns(live, live[key], desired[key])
    }
    return {key: live[key] if key in external else value for key, value in desired.items()}


def merge_documents(
    resource_type: ResourceType, live: JsonObject, desired: JsonObject, recorded: JsonObject, shapes: Shapes
) -> dict[str, Any]:
    """Return the properties to send: `desired`, and all else in `live` that the calls accept.

    A member that `recorded`, the last recorded properties, has and `desired` has not was set by this stack, and is
    removed. Exclusive properties are sent as they are declared, with the items that known
    other owners have put into them.
    """
    return dict(_Merge(resource_type).merge(live, desired, recorded, shapes, ""))


@dataclass(frozen=True)
class _Merge:
    """One merge for a resource type; a path is the dotted names of the members, without list positions."""

    type: ResourceType

    def merge(self, live: Any, desired: Any, recorded: Any, shapes: Shapes, path: str) -> Any:
        """Merge mappings member by member and lists item by item; return any other value as it is declared."""
        if path in self.type.exclusive | self.type.sent_as_stated:
            return self.with_foreign_items(live, desired, path)
        if isinstance(live, Mapping) and isinstance(desired, Mapping):
            if path and desired and not shapes.is_map and desired.keys().isdisjoint(live):
                return desired  # the actual value is another alternative of this union, set by somebody else
            kept = dict(self.live_members(live, {*desired, *_as_mapping(recorded)}, shapes, path))
            return kept | {
                key: self.merge(
                    live.get(key), value, _as_mapping(recorded).get(key), shapes.member(key), _join_path(path, key)
                )
                for key, value in desired.items()
            }
        if isinstance(live, list) and isinstance(desired, list):
            merged = [
                self.merge(_matching_item(item, live), item, _matching_item(item, recorded), shapes.items, path)
                for item in desired
            ]
            return merged + self.foreign_items(live, path)
        return desired

    def live_members(
        self, live: Mapping[str, Any], known: set[str], shapes: Shapes, path: str
    ) -> Iterator[tuple[str, Any]]:
        """Yield each actual member that the calls accept and that neither is declared nor was before.

        A managed member is only kept at its default. Another value is replaced by the default, or left out if
        there is none.
        """
        members = self.type.ownership
        for key, value in live.items():
            at = _join_path(path, key)
            if key in known or not shapes.accepts(key) or at in self.type.alternatives or members.are_tags(at):
                continue
            if not members.is_ours(at):
                yield key, self.accepted_part(value, shapes.member(key), at)
                continue
            default = members.default(at)
            if is_default(members, at, only_ours(members, value, at)):
                yield key, value
            elif default is not None and not isinstance(default, frozenset):
                yield key, default

    def accepted_part(self, value: Any, shapes: Shapes, path: str) -> Any:
        """Return an actual value without the members that the calls do not accept."""
        if isinstance(value, Mapping):
            return dict(self.live_members(value, set(), shapes, path))
        if isinstance(value, list):
            return [self.accepted_part(item, shapes.items, path) for item in value]
        return value

    def with_foreign_items(self, live: Any, desired: Any, path: str) -> Any:
        """Return an exclusive value as declared, with the items that known other owners have put into it."""
        if isinstance(live, Mapping) and isinstance(desired, Mapping):
            foreign = {
                key: value for key, value in live.items() if key not in desired and self.is_foreign(path, key, value)
            }
            return foreign | {
                key: self.with_foreign_items(live.get(key), value, _join_path(path, key))
                for key, value in desired.items()
            }
        if isinstance(live, list) and isinstance(desired, list):
            return [*desired, *self.foreign_items(live, path)]
        return desired

    def foreign_items(self, live: Sequence[Any], path: str) -> list[Any]:
        """Return the items of a list that a known other owner has put into it."""
        return [item for item in live if isinstance(item, Mapping) and self.is_foreign(path, item_name(item), item)]

    def is_foreign(self, path: str, name: str, item: Any) -> bool:
        """Return whether a known other owner has set an item or member, or nobody owns it."""
        at = _join_path(path, name)
        return bool(self.type.ownership.foreign_owner(at, item)) or self.type.ownership.is_unowned(at)


def _join_path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _matching_item(item: Any, listed: Any) -> Any:
    """Return the item of a list that has the same name as `item`; if items have no names, the only one."""
    if not isinstance(listed, list) or not isinstance(item, Mapping):
        return None
    if name := item_name(item):
        return next((candidate for candidate in listed if item_name(candidate) == name), None)
    return listed[0] if len(listed) == 1 else None
