"""Base of subresources: settings of another resource that need a call of their own."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc


class Setting(Kind):
    """A subresource: a setting that exists and is deleted with another resource, which `key` names."""

    tagged, vanishes = False, True
    key: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Make the property named by `key` immutable: a setting cannot move to another resource."""
        if "key" in vars(cls):
            cls.within, cls.fixed = (cls.key,), frozenset({cls.key})

    @abstractmethod
    def put(self, client: Any, props: Doc) -> None:
        """Set it, by one mutating call; safe to repeat."""

    def create(self, client: Any, spec: ResourceSpec) -> Doc:
        """Set it for the first time."""
        self.put(client, spec.props)
        return dict(spec.props)

    def update(self, client: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Set it again, with the changes."""
        self.put(client, {**spec.props, **changed})

    def delete(self, client: Any, spec: ResourceSpec) -> None:
        """Do nothing: the setting is deleted with the resource that it is set on."""
