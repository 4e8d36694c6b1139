"""Dataclasses as JSON objects: their keys, and whether what was read is of the declared types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints


@cache
def _cached_json_keys(dataclass_: Any) -> Mapping[str, str]:
    return {field_.name: field_.metadata.get("json", field_.name) for field_ in fields(dataclass_)}


def _json_key_by_field(dataclass_: Any) -> Mapping[str, str]:  # Any: mypy finds a class not hashable
    return _cached_json_keys(dataclass_)


def json_fields(instance: Any) -> dict[str, Any]:
    """Return the fields of an instance of a dataclass under their JSON keys; values as they are, not copied."""
    return {key: getattr(instance, name) for name, key in _json_key_by_field(type(instance)).items()}


def json_keys(dataclass_: type[Any]) -> frozenset[str]:
    """Return the JSON keys of a dataclass."""
    return frozenset(_json_key_by_field(dataclass_).values())


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


def fields_from_json(dataclass_: type[Any], json_object: Any) -> dict[str, Any]:
    """Return a JSON object's members under the names of the fields of `dataclass_`.

    Raises:
        TypeError: `json_object` is not a JSON object, or has an unknown key.

    """
    if not isinstance(json_object, Mapping):
        raise TypeError(f"{dataclass_.__name__.lower()}: it is not a JSON object")
    names = {key: name for name, key in _json_key_by_field(dataclass_).items()}
    if unknown := json_object.keys() - names.keys():
        raise TypeError(f"{dataclass_.__name__.lower()}: unexpected {', '.join(sorted(unknown))}")
    return {names[key]: value for key, value in json_object.items()}


T = TypeVar("T")


def validate_types(instance: T) -> T:
    """Return an instance of a dataclass unchanged if each field has the declared type.

    Raises:
        TypeError: A field holds a value of another type; the message names the field.

    """
    cls: Any = type(instance)  # mypy finds a class not hashable
    for name, key, hint in _field_types(cls):
        if not _is_of_type(getattr(instance, name), hint):
            raise TypeError(f"{type(instance).__name__.lower()}: {key} has the wrong type")
    return instance


@cache
def _field_types(cls: type[Any]) -> tuple[tuple[str, str, Any], ...]:
    hints = get_type_hints(cls)
    if not is_dataclass(cls):
        return ()
    return tuple((field_.name, field_.metadata.get("json", field_.name), hints[field_.name]) for field_ in fields(cls))


def _is_of_type(value: object, hint: Any) -> bool:
    """Return whether a value is of the type; an int counts as a float, but a bool counts as neither."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is UnionType:
        return any(_is_of_type(value, option) for option in inner)
    if origin is dict:
        return isinstance(value, dict) and all(_is_of_type(member, inner[1]) for member in value.values())
    if origin is list:
        return isinstance(value, list) and all(_is_of_type(item, inner[0]) for item in value)
    if isinstance(value, bool):
        return False
    accepted = {float: (int, float), None: (NoneType,)}
    return isinstance(value, accepted.get(hint, hint))
