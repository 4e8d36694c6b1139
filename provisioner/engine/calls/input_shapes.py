"""The shapes of a call's input, from botocore's model of the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shapes:
    """The input shapes of the calls that together take one document; if empty, any member is accepted."""

    shapes: tuple[Any, ...] = ()

    @classmethod
    def of(cls, model: Any, calls: Mapping[str, str]) -> Shapes:
        """Return the shapes of a service model's operations.

        `calls` maps each operation to the path of the document in its input.
        """
        shapes = []
        for operation, path in calls.items():
            shape = model.operation_model(operation).input_shape
            for name in path.split("."):
                shape = _member_shape(shape, name) if name else shape
            shapes.append(getattr(shape, "member", shape))
        return cls(tuple(shapes))

    def accepts(self, name: str) -> bool:
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
        inner = (_member_shape(one, name) for one in self.shapes)
        return Shapes(tuple(one for one in inner if one is not None))

    @property
    def items(self) -> Shapes:
        """The shapes of the items of a list."""
        return Shapes(tuple(one.member for one in self.shapes if one.type_name == "list"))


def _member_shape(shape: Any, name: str) -> Any:
    if shape.type_name == "map":
        return shape.value
    return getattr(shape, "members", {}).get(name)
