"""The fields that differ, one a line, at any depth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.drift import DriftField
from provisioner.engine.resource_graph.sensitive import mask, mask_changes
from provisioner.engine.types.coverage import covers
from provisioner.terminal.fitting import shorten_end

_MAX_WIDTH = 100
# How many characters two long values are shown before the first difference.
_CONTEXT_WIDTH = 20
_ABSENT, _EMPTY = "(none)", '""'


def difference_lines(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield a line for each field that differs: path, old value, new value."""
    for path, old, new in _changed_fields(differences):
        yield f"{path}: {old} -> {new}"


def external_field_lines(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield a sentence for each field of another owner: its actual value, and the value in the settings."""
    for path, actual, desired in _changed_fields(differences):
        statement = f"has no {path}" if actual == _ABSENT else f"{path} is {actual}"
        yield f"{statement}; the settings say {'nothing' if desired == _ABSENT else desired}"


def drift_line(field: DriftField) -> str:
    """Return a field of a drift: the health that AWS tells, or the recorded and the actual value."""
    if field.is_status:
        return f"{field.path}: {format_value(mask(field.actual))}"
    return "; ".join(difference_lines([Difference(field.path, field.recorded, field.actual)]))


def _changed_fields(differences: Iterable[Difference]) -> Iterator[tuple[str, str, str]]:
    """Yield path, old text and new text of each field that differs, with sensitive values masked."""
    for difference in differences:
        old, new = mask(difference.old), mask_changes(difference.new, difference.old)
        changed = list(_changed_values(difference.path, old, new)) or _removed_values(difference.path, old, new)
        for path, *pair in changed:
            yield path, *_format_pair(*pair)


def _changed_values(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, old and new value of the innermost values that differ.

    Items of lists are compared by name where they have names. A key that only `old` has is left out, as AWS
    may have added it, unless `new` has keys that `old` lacks: those may take its place.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        added = [key for key in new if key not in old]
        # If new keys take the place of old ones, both are shown. Else a key that only AWS has is AWS's own.
        removed = [key for key in old if key not in new] if added else []
        yield from ((f"{path}.{key}", old[key], None) for key in removed)
        for key, new_value in new.items():
            if (removed and key in added) or not covers(old.get(key), new_value):
                yield from _changed_values(f"{path}.{key}", old.get(key), new_value)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _changed_items(path, old, new)
    else:
        yield path, old, new


def _changed_items(path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, old and new value of the items of two lists that differ.

    Items are matched by name, or by position in two lists of equally many mappings. Other short lists are one
    value. From other long lists the removed and the added items are yielded.
    """
    old_by_name, new_by_name = _items_by_name(old), _items_by_name(new)
    if old_by_name is not None and new_by_name is not None:
        for name in {**old_by_name, **new_by_name}:
            if not covers(old_by_name.get(name), new_by_name.get(name)):
                yield from _changed_values(f"{path}.{name}", old_by_name.get(name), new_by_name.get(name))
        return
    removed = [item for item in old if not any(covers(item, other) for other in new)]
    added = [item for item in new if not any(covers(other, item) for other in old)]
    if _are_mappings_of_same_length(old, new):
        for old_item, new_item in zip(removed, added, strict=False):
            yield from _changed_values(f"{path}.{new.index(new_item)}", old_item, new_item)
    elif all(_is_short(value) for value in (old, new)):
        yield path, old, new
    else:
        yield from ((f"{path}[]", item, None) for item in removed)
        yield from ((f"{path}[]", None, item) for item in added)


def _items_by_name(items: list[Any]) -> dict[str, Any] | None:
    """Return the items of a list by their `name`; None if an item has no name, or if two have the same."""
    named_items = [item for item in items if isinstance(item, Mapping) and isinstance(item.get("name"), str)]
    by_name = {item["name"]: {key: value for key, value in item.items() if key != "name"} for item in named_items}
    return by_name if len(by_name) == len(items) else None


def _removed_values(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield path and value of the innermost values that only `old` has, with None as the new value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in old.items():
            if key not in new:
                yield f"{path}.{key}", value, None
            else:
                yield from _removed_values(f"{path}.{key}", value, new[key])
    elif _are_mappings_of_same_length(old, new):
        for position, (old_item, value) in enumerate(zip(old, new, strict=True)):
            yield from _removed_values(f"{path}.{position}", old_item, value)


def _are_mappings_of_same_length(old: Any, new: Any) -> bool:
    """Return whether both values are lists of the same length that contain only mappings."""
    if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
        return False
    return all(isinstance(item, Mapping) for item in old + new)


def format_value(value: Any) -> str:
    """Return a value as one short line of text."""
    if value is None:
        return _ABSENT
    return shorten_end(_as_text(value), _MAX_WIDTH)


def _format_pair(old: Any, new: Any) -> tuple[str, str]:
    """Return two values, each as one short line; long ones begin shortly before the first difference."""
    if old is None or new is None or (_is_short(old) and _is_short(new)):
        return format_value(old), format_value(new)
    texts = _as_text(old), _as_text(new)
    common_length = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    start = max(0, common_length - _CONTEXT_WIDTH)
    start = texts[0].rfind(" ", start, common_length) + 1 or start
    old_text, new_text = (shorten_end("…" + text[start:] if start else text, _MAX_WIDTH) for text in texts)
    return old_text, new_text


def _is_short(value: Any) -> bool:
    """Return whether the text of a value is not too long for one line."""
    return len(_as_text(value)) <= _MAX_WIDTH


def _as_text(value: Any) -> str:
    """Return a value as text: text as it is, everything else as JSON."""
    return (value or _EMPTY) if isinstance(value, str) else json.dumps(value, default=str)
