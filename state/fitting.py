"""Whether what was read from a file is of the types that it is declared with."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def fitting(part: T) -> T:
    """The same dataclass; TypeError that names a field which holds what it never can."""
    sort: Any = type(part)  # mypy finds a class not hashable
    for name, hint in _hints(sort):
        if not _fits(getattr(part, name), hint):
            raise TypeError(f"{type(part).__name__.lower()}: {name} is none it can be")
    return part


@cache
def _hints(sort: type[Any]) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(sort)
    return tuple((one.name, hints[one.name]) for one in fields(sort)) if is_dataclass(sort) else ()


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of the type; a number counts as one with a fraction, a truth as none."""
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
