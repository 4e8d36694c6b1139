"""What is set on another resource by a call of its own."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc


class Setting(Kind):
    """It is there with what it is set on and goes with it; `key` is the property that names that."""

    tagged, vanishes = False, True
    key: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Of what it is set on, nothing can change: that would be another one."""
        if "key" in vars(cls):
            cls.within, cls.fixed = (cls.key,), frozenset({cls.key})

    @abstractmethod
    def put(self, client: Any, props: Doc) -> None:
        """Set it, by one mutating call; safe to repeat."""

    def create(self, client: Any, it: Item) -> Doc:
        """Set it for the first time."""
        self.put(client, it.props)
        return dict(it.props)

    def update(self, client: Any, it: Item, changed: Doc) -> None:
        """Set it anew."""
        self.put(client, {**it.props, **changed})

    def delete(self, client: Any, it: Item) -> None:
        """It goes with what it is set on."""
