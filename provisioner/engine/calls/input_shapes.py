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
        return all(shape.type_name != "structure" for shape in self.shapes) or any(
            name in getattr(shape, "members", {}) for shape in self.shapes
        )

    @property
    def is_map(self) -> bool:
        """Whether the document is a map, whose keys are free."""
        return any(shape.type_name == "map" for shape in self.shapes)

    def member(self, name: str) -> Shapes:
        """Return the shapes of one member."""
        members = (_member_shape(shape, name) for shape in self.shapes)
        return Shapes(tuple(member for member in members if member is not None))

    @property
    def items(self) -> Shapes:
        """The shapes of the items of a list."""
        return Shapes(tuple(shape.member for shape in self.shapes if shape.type_name == "list"))


def _member_shape(shape: Any, name: str) -> Any:
    if shape.type_name == "map":
        return shape.value
    return getattr(shape, "members", {}).get(name)
