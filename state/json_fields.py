"""Dataclasses as JSON objects: a field's key is its name, or `metadata={"json": KEY}` where the key is older.

Keys on disk and in `--json` outlive the names of attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any


@cache
def _keys(part: Any) -> Mapping[str, str]:
    return {one.name: one.metadata.get("json", one.name) for one in fields(part)}


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
