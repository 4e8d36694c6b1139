"""Validation by botocore's model of AWS: types, required members, lengths, bounds, patterns and enums."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


class Placeholder(str):
    """Stands for a value that only AWS can give; it passes every check."""

    __slots__ = ()


MISSING = "is missing"
UNKNOWN = Placeholder("(known-after-apply)")


@dataclass(frozen=True)
class ShapeViolation:
    """A violation of botocore's model; if it is not `is_certain`, the value may be newer than the model."""

    path: str
    description: str
    is_certain: bool = True


def shape_violations(shape: Any, value: Any, path: str = "") -> Iterator[ShapeViolation]:
    """Yield everything in `value` that the model refuses.

    Args:
        shape: The shape of botocore's model that the value must have.
        value: The value of a parameter.
        path: The dotted path of the value in the call, for the results.

    """
    if value is None or isinstance(value, Placeholder):
        return
    match shape.type_name:
        case "structure":
            yield from _structure_violations(shape, value, path)
        case "list":
            yield from _list_violations(shape, value, path)
        case "map":
            yield from _map_violations(shape, value, path)
        case "string":
            yield from _string_violations(shape, value, path)
        case "integer" | "long" | "float" | "double":
            yield from _number_violations(shape, value, path)
        case "boolean" if not isinstance(value, bool):
            yield ShapeViolation(path, f"{value!r} is neither true nor false")
        case _:
            return


def _structure_violations(shape: Any, value: Any, path: str) -> Iterator[ShapeViolation]:
    """Yield the violations in a structure: missing and unknown members, and those inside its members."""
    if not isinstance(value, Mapping):
        yield ShapeViolation(path, f"{value!r} has no members")
        return
    for name in shape.required_members:
        if name not in value:
            yield ShapeViolation(_member_path(path, name), MISSING)
    for name, inner in value.items():
        if name in shape.members:
            yield from shape_violations(shape.members[name], inner, _member_path(path, name))
        else:
            yield ShapeViolation(_member_path(path, name), "is not known to AWS")


def _list_violations(shape: Any, value: Any, path: str) -> Iterator[ShapeViolation]:
    """Yield the violations in a list: its length, and those inside its members."""
    if not isinstance(value, (list, tuple)):
        yield ShapeViolation(path, f"{value!r} is no list")
        return
    yield from _bound_violations(shape, len(value), path, "members")
    for index, inner in enumerate(value):
        yield from shape_violations(shape.member, inner, _member_path(path, str(index)))


def _map_violations(shape: Any, value: Any, path: str) -> Iterator[ShapeViolation]:
    """Yield the violations in a map: its size, and those in its keys and values."""
    if not isinstance(value, Mapping):
        yield ShapeViolation(path, f"{value!r} has no keys")
        return
    yield from _bound_violations(shape, len(value), path, "entries")
    for name, inner in value.items():
        yield from shape_violations(shape.key, name, _member_path(path, str(name)))
        yield from shape_violations(shape.value, inner, _member_path(path, str(name)))


def _string_violations(shape: Any, value: Any, path: str) -> Iterator[ShapeViolation]:
    """Yield the violations in a string: its length, pattern and enum; none if a part is not known yet."""
    if not isinstance(value, str):
        yield ShapeViolation(path, f"{value!r} is no text")
        return
    if UNKNOWN in value:
        return
    yield from _bound_violations(shape, len(value), path, "characters")
    pattern = _compiled(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield ShapeViolation(path, f"{value!r} does not fit {pattern.pattern}")
    if shape.enum and value not in shape.enum:
        yield ShapeViolation(path, f"{value!r} is none of {', '.join(shape.enum)}", is_certain=False)


def _number_violations(shape: Any, value: Any, path: str) -> Iterator[ShapeViolation]:
    """Yield the violations of a number: its type and bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield ShapeViolation(path, f"{value!r} is no number")
        return
    yield from _bound_violations(shape, value, path, "")


def _bound_violations(shape: Any, size: float, path: str, unit: str) -> Iterator[ShapeViolation]:
    """Yield a violation if a size or number is outside the shape's minimum and maximum."""
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    subject = f"has {size} {unit}" if unit else f"is {size}"
    if minimum is not None and size < minimum:
        yield ShapeViolation(path, f"{subject}; {minimum} is the least")
    if maximum is not None and size > maximum:
        yield ShapeViolation(path, f"{subject}; {maximum} is the most")


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the compiled pattern; None if Python's `re` cannot compile it, as for one in nine patterns."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None


def _member_path(path: str, name: str) -> str:
    """Return the dotted path of a member."""
    return f"{path}.{name}" if path else name
