"""Validation of data from a JSON file against the type hints of its dataclass."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def fitting(part: T) -> T:
    """Return the dataclass instance `part` unchanged if each field has the declared type.

    Raises:
        TypeError: A field holds a value of another type; the message names the field.

    """
    sort: Any = type(part)  # mypy finds a class not hashable
    for name, key, hint in _hints(sort):
        if not _fits(getattr(part, name), hint):
            raise TypeError(f"{type(part).__name__.lower()}: {key} is none it can be")
    return part


@cache
def _hints(sort: type[Any]) -> tuple[tuple[str, str, Any], ...]:
    hints = get_type_hints(sort)
    if not is_dataclass(sort):
        return ()
    return tuple((one.name, one.metadata.get("json", one.name), hints[one.name]) for one in fields(sort))


def _fits(value: object, hint: Any) -> bool:
    """Return whether a value is of the type; an int counts as a float, but a bool counts as neither."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is UnionType:
        return any(_fits(value, one) for one in inner)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(one, inner[1]) for one in value.values())
    if origin is list:
        return isinstance(value, list) and all(_fits(one, inner[0]) for one in value)
    if isinstance(value, bool):
        return False
    wide = {float: (int, float), None: (NoneType,)}
    return isinstance(value, wide.get(hint, hint))
