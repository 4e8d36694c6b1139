"""What AWS's calls take, by the input shapes of botocore's service models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shapes:
    """The input shapes of calls that take one document between them; without any, a document of no model."""

    shapes: tuple[Any, ...] = ()

    @classmethod
    def of(cls, model: Any, calls: Mapping[str, str]) -> Shapes:
        """The shapes of a service model's operations, each by the path to the document in its input."""
        found = []
        for operation, path in calls.items():
            shape = model.operation_model(operation).input_shape
            for name in path.split("."):
                shape = _inner(shape, name) if name else shape
            found.append(getattr(shape, "member", shape))
        return cls(tuple(found))

    def takes(self, name: str) -> bool:
        """Whether a member of this name can be sent."""
        return all(one.type_name != "structure" for one in self.shapes) or any(
            name in getattr(one, "members", {}) for one in self.shapes
        )

    @property
    def is_map(self) -> bool:
        """Whether its members are named by whoever sets them."""
        return any(one.type_name == "map" for one in self.shapes)

    def member(self, name: str) -> Shapes:
        """What a member takes."""
        inner = (_inner(one, name) for one in self.shapes)
        return Shapes(tuple(one for one in inner if one is not None))

    @property
    def items(self) -> Shapes:
        """What the items of a list take."""
        return Shapes(tuple(one.member for one in self.shapes if one.type_name == "list"))


def _inner(shape: Any, name: str) -> Any:
    if shape.type_name == "map":
        return shape.value
    return getattr(shape, "members", {}).get(name)
