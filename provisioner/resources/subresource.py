"""The base of subresources: settings of another resource that need a call of their own."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType


class SubresourceType(ResourceType):
    """A subresource: a setting of another resource, with which it is deleted.

    `id_paths` names the property that holds the id of the other resource.
    """

    tagged, deleted_with_parent = False, True
    pricing = FREE
    id_paths: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Make the property in `id_paths` immutable: a setting cannot move to another resource, nor be without one."""
        if "id_paths" in vars(cls):
            cls.lookup_properties, cls.immutable = (cls.id_paths,), frozenset({cls.id_paths})
            cls.container_property = cls.id_paths

    @abstractmethod
    def apply(self, client: Any, props: JsonObject) -> None:
        """Set the properties by one mutating call, which is safe to repeat."""

    def create(self, client: Any, spec: ResourceSpec) -> JsonObject:
        """Set the properties for the first time."""
        self.apply(client, spec.props)
        return dict(spec.props)

    def update(self, client: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Set the properties again, with the changes."""
        self.apply(client, {**spec.props, **changed})

    def delete(self, client: Any, spec: ResourceSpec) -> None:
        """Do nothing: the setting is deleted with the resource that it is set on."""
