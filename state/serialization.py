"""Dataclasses as JSON objects: their keys, and whether what was read is of the declared types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints


@cache
def _keys(part: Any) -> Mapping[str, str]:
    return {item.name: item.metadata.get("json", item.name) for item in fields(part)}


def _keys_of(part: Any) -> Mapping[str, str]:  # Any: mypy finds a class not hashable
    return _keys(part)


def json_fields(part: Any) -> dict[str, Any]:
    """Return the fields of a dataclass under their JSON keys; values as they are, not copied."""
    return {key: getattr(part, name) for name, key in _keys_of(type(part)).items()}


def json_keys(part: type[Any]) -> frozenset[str]:
    """Return the JSON keys of a dataclass."""
    return frozenset(_keys_of(part).values())


def as_json(value: Any) -> Any:
    """Return a value with each dataclass in it, at every depth, as a dictionary under JSON keys."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: as_json(inner) for key, inner in json_fields(value).items()}
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(as_json, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(as_json, value))
    return value


def by_name(part: type[Any], doc: Any) -> dict[str, Any]:
    """Return a JSON object's members under the names of the fields of `part`.

    Raises:
        TypeError: `doc` is no mapping, or has a key that is none of its JSON keys.

    """
    if not isinstance(doc, Mapping):
        raise TypeError(f"{part.__name__.lower()}: it is no mapping")
    names = {key: name for name, key in _keys_of(part).items()}
    if unknown := doc.keys() - names.keys():
        raise TypeError(f"{part.__name__.lower()}: unexpected {', '.join(sorted(unknown))}")
    return {names[key]: value for key, value in doc.items()}


T = TypeVar("T")


def validate_types(part: T) -> T:
    """Return the dataclass instance `part` unchanged if each field has the declared type.

    Raises:
        TypeError: A field holds a value of another type; the message names the field.

    """
    cls: Any = type(part)  # mypy finds a class not hashable
    for name, key, hint in _field_types(cls):
        if not _is_of_type(getattr(part, name), hint):
            raise TypeError(f"{type(part).__name__.lower()}: {key} is none it can be")
    return part


@cache
def _field_types(cls: type[Any]) -> tuple[tuple[str, str, Any], ...]:
    hints = get_type_hints(cls)
    if not is_dataclass(cls):
        return ()
    return tuple((item.name, item.metadata.get("json", item.name), hints[item.name]) for item in fields(cls))


def _is_of_type(value: object, hint: Any) -> bool:
    """Return whether a value is of the type; an int counts as a float, but a bool counts as neither."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is UnionType:
        return any(_is_of_type(value, item) for item in inner)
    if origin is dict:
        return isinstance(value, dict) and all(_is_of_type(item, inner[1]) for item in value.values())
    if origin is list:
        return isinstance(value, list) and all(_is_of_type(item, inner[0]) for item in value)
    if isinstance(value, bool):
        return False
    wide = {float: (int, float), None: (NoneType,)}
    return isinstance(value, wide.get(hint, hint))
