"""The properties that an emulator of others returns, in the form in which AWS would return them.

Such an emulator forgets some of what was written, and returns values of its own where nothing was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provisioner.engine.planning.coverage import covers
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.field_owners import FieldOwnership
from provisioner.engine.types.unmanaged import is_default, only_ours

# The values of a field that an emulator does not support.
_NO_WORD: tuple[Any, ...] = (None, "", [], {})


def as_on_aws(members: FieldOwnership, told: JsonObject, confirmed: JsonObject, wanted: JsonObject) -> JsonObject:
    """Return what an emulator tells of a resource: without its own defaults, and with what it forgot.

    Args:
        members: The ownership table of the resource type.
        told: The properties as the emulator returns them.
        confirmed: The properties as they were recorded last; those that it does not return are taken from it.
        wanted: The desired properties. A managed member that is in neither, and that the emulator returns
            with a value other than AWS's default, is left out: no update would ever change it.

    """
    return _filled(confirmed, _asked_for(members, told, [confirmed, wanted]))


def _filled(confirmed: JsonObject, told: JsonObject) -> JsonObject:
    """Return an emulator's properties; those missing or empty, at any depth, come from the record."""
    kept = {key: value for key, value in told.items() if value not in _NO_WORD or key not in confirmed}
    inner = {
        key: _filled(confirmed[key], value)
        for key, value in kept.items()
        if isinstance(value, dict) and isinstance(confirmed.get(key), dict)
    }
    return {**confirmed, **kept, **inner}


def _asked_for(members: FieldOwnership, told: JsonObject, stated: Sequence[JsonObject], at: str = "") -> JsonObject:
    """Return an emulator's properties without managed members that nobody stated and it set otherwise."""
    kept: JsonObject = {}
    for key, value in told.items():
        path = f"{at}.{key}" if at else str(key)
        if given := [one[key] for one in stated if key in one]:
            kept[key] = _inside(members, value, given, path)
        elif not members.is_ours(path):
            inner = isinstance(value, dict) and members.has_ours_below(path)
            kept[key] = _asked_for(members, value, [], path) if inner else value
        elif is_default(members, path, only_ours(members, value, path)):
            kept[key] = value
    return kept


def _inside(members: FieldOwnership, told: Any, stated: Sequence[Any], path: str) -> Any:
    """Return a stated value, or list of values, without what the emulator set in it besides."""
    if isinstance(told, dict):
        above = [one for one in stated if isinstance(one, dict)]
        return _asked_for(members, told, above, path) if above else told
    if isinstance(told, list):
        return [_inside(members, one, list(_like(one, stated)), path) for one in told]
    return told


def _like(item: Any, stated: Sequence[Any]) -> Iterator[Any]:
    """Yield the stated items that an item of a list holds."""
    yield from (one for many in stated if isinstance(many, list) for one in many if covers(item, one))
