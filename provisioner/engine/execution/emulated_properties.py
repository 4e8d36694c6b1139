"""The properties that an emulator of others returns, in the form in which AWS would return them.

Such an emulator forgets some of what was written, and returns values of its own where nothing was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.coverage import covers
from provisioner.engine.types.field_ownership import FieldOwnership
from provisioner.engine.types.unmanaged import is_default, only_ours

# The values of a field that an emulator does not support.
_EMPTY_VALUES: tuple[Any, ...] = (None, "", [], {})


def properties_as_on_aws(
    ownership: FieldOwnership, returned: JsonObject, recorded: JsonObject, desired: JsonObject
) -> JsonObject:
    """Return an emulator's properties of a resource without its own defaults and with what it forgot.

    Args:
        ownership: The ownership table of the resource type.
        returned: The properties as the emulator returns them.
        recorded: The properties as they were recorded last; those that it does not return are taken from it.
        desired: The desired properties. A managed member that is in neither, and that the emulator returns
            with a value other than AWS's default, is left out: no update would ever change it.

    """
    return _fill_in_recorded(recorded, _without_own_defaults(ownership, returned, [recorded, desired]))


def _fill_in_recorded(recorded: JsonObject, returned: JsonObject) -> JsonObject:
    """Return an emulator's properties; those missing or empty, at any depth, come from the record."""
    result = {key: value for key, value in returned.items() if value not in _EMPTY_VALUES or key not in recorded}
    inner = {
        key: _fill_in_recorded(recorded[key], value)
        for key, value in result.items()
        if isinstance(value, dict) and isinstance(recorded.get(key), dict)
    }
    return {**recorded, **result, **inner}


def _without_own_defaults(
    ownership: FieldOwnership, returned: JsonObject, stated: Sequence[JsonObject], prefix: str = ""
) -> JsonObject:
    """Return an emulator's properties without managed members that nobody stated, unless they are at AWS's default."""
    result: dict[str, Any] = {}
    for key, value in returned.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if stated_values := [properties[key] for properties in stated if key in properties]:
            result[key] = _clean_stated_value(ownership, value, stated_values, path)
        elif not ownership.is_ours(path):
            inner = isinstance(value, dict) and ownership.has_ours_below(path)
            result[key] = _without_own_defaults(ownership, value, [], path) if inner else value
        elif is_default(ownership, path, only_ours(ownership, value, path)):
            result[key] = value
    return result


def _clean_stated_value(ownership: FieldOwnership, returned: Any, stated: Sequence[Any], path: str) -> Any:
    """Return a stated value, or list of values, without what the emulator set in it besides."""
    if isinstance(returned, dict):
        stated_dicts = [value for value in stated if isinstance(value, dict)]
        return _without_own_defaults(ownership, returned, stated_dicts, path) if stated_dicts else returned
    if isinstance(returned, list):
        return [_clean_stated_value(ownership, item, list(_covered_items(item, stated)), path) for item in returned]
    return returned


def _covered_items(item: Any, stated: Sequence[Any]) -> Iterator[Any]:
    """Yield the stated items that an item of a list holds."""
    stated_lists = (value for value in stated if isinstance(value, list))
    yield from (value for values in stated_lists for value in values if covers(item, value))
