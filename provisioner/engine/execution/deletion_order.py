"""The order in which a teardown deletes, and which resources need no delete call: AWS deletes them with another."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field

from provisioner.engine.estimates.critical_path import DeleteStage, delete_graph
from provisioner.engine.planning.plan import ResourceTypes
from state.stack_state import ResourceState


@dataclass
class DeletionOrder:
    """Which resources a teardown deletes by a call, each after those that need it, and which go with another."""

    # The resources that are deleted by a call, each with those that it needs.
    depends_on: dict[str, set[str]]
    # The resources that need no delete call, each with the one with which AWS deletes it.
    deleted_with: dict[str, str] = field(default_factory=dict)
    # The resources that one call deletes together: all others by the first, in whose place in the order they are.
    lists: dict[str, list[str]] = field(default_factory=dict)

    def graph(self, may_overlap: Callable[[str, str], bool]) -> dict[DeleteStage, set[DeleteStage]]:
        """Return the stages that each stage of the deletion waits for (`delete_graph`)."""
        return delete_graph(self.depends_on, may_overlap)

    def parts_of(self, name: str) -> list[str]:
        """Return the resources that AWS deletes with this one."""
        return [part for part in self.deleted_with if self.owner_of(part) == name]

    def owner_of(self, name: str) -> str:
        """Return the resource whose delete call deletes this one, too: itself, unless it is a part of another."""
        while name in self.deleted_with:
            name = self.deleted_with[name]
        return name

    def merge(self, part: str, owner: str, named: Set[str]) -> bool:
        """Let `part` go with `owner`, if the order allows that; return whether it does.

        What needs the one goes before the other. The resources `named`, which the part names, go after the owner:
        AWS keeps them as long as something names them.
        """
        if any(self._needs(name, owner) for name in named - {owner}):
            return False
        self._replace(part, owner, named)
        self.deleted_with[part] = owner
        return True

    def join(self, name: str, first: str) -> None:
        """Let the call that deletes `first` delete another resource too, unless one of the two needs the other."""
        if not self._needs(name, first) and not self._needs(first, name):
            self._replace(name, first, self.depends_on[name])
            self.lists.setdefault(first, []).append(name)

    def _replace(self, name: str, other: str, needs: Set[str]) -> None:
        """Give the place of a resource to another one: what needs the one needs the other, which needs `needs`."""
        del self.depends_on[name]
        self.depends_on[other] |= needs - {other}
        for others in self.depends_on.values():
            if name in others:
                others.remove(name)
                others.add(other)

    def _needs(self, name: str, other: str) -> bool:
        """Return whether a resource needs another one, directly or not, and so goes before it."""
        pending, seen = [name], set[str]()
        while pending:
            needed = pending.pop()
            if needed == other:
                return True
            if needed not in seen:
                seen.add(needed)
                pending += self.depends_on.get(needed, ())
        return False


def deletion_order(
    resource_states: Mapping[str, ResourceState], names: Set[str], resource_types: ResourceTypes, *, whole_stack: bool
) -> DeletionOrder:
    """Return the order in which the named resources are deleted, from the recorded dependencies.

    If the whole stack is deleted, a resource that AWS deletes with its container goes with it where the
    order allows that. Of two security groups whose rules name each other, one has to lose its rules first: the one
    with the most, because the fewest groups are then left to wait.
    """
    order = DeletionOrder(
        {name: {need for need in resource_states[name].depends_on if need in names} for name in names}
    )
    owners = _owners(resource_states, names, resource_types) if whole_stack else {}
    parts_by_owner = Counter(owners.values())
    for part, owner in sorted(owners.items(), key=lambda pair: (parts_by_owner[pair[1]], pair)):
        resource_state = resource_states[part]
        text = json.dumps(resource_state.desired, default=str)
        named = {
            order.owner_of(name)
            for name in names & set(resource_state.depends_on)
            # A setting has the id of the resource that it is set on.
            if resource_states[name].id != resource_states[owner].id and _names(text, resource_states[name])
        }
        order.merge(part, order.owner_of(owner), named)
    lists: dict[tuple[str, str, str], str] = {}
    for part, owner in sorted(owners.items()):
        type_name, region = resource_states[part].type_name, resource_states[part].region
        if part not in order.deleted_with and resource_types[type_name].deleted_in_lists:
            first = lists.setdefault((type_name, region, owner), part)
            if first != part:
                order.join(part, first)
    return order


def _owners(
    resource_states: Mapping[str, ResourceState], names: Set[str], resource_types: ResourceTypes
) -> dict[str, str]:
    """Map each resource that AWS deletes with another one of `names` to that one."""
    owners = {}
    for name in names:
        resource_state = resource_states[name]
        resource_type = resource_types[resource_state.type_name]
        if resource_type.deleted_with_container:
            container = (resource_state.region, resource_state.desired.get(resource_type.container_property))
            for needed in (need for need in resource_state.depends_on if need in names):
                other = resource_states[needed]
                # A setting has the id of the resource that it is set on.
                is_setting = resource_types[other.type_name].deleted_with_parent
                if (other.region, other.id) == container and other.id and not is_setting:
                    owners[name] = needed
    return owners


def _names(text: str, resource_state: ResourceState) -> bool:
    """Return whether properties, as text, hold the id of a resource."""
    return bool(resource_state.id) and f'"{resource_state.id}"' in text
