"""The fields that differ, one a line, at any depth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from provisioner.engine.planning.coverage import covers
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.drift import DriftField
from provisioner.engine.resource_graph.sensitive import mask, mask_changes

_WIDEST = 100
# How many characters two long values are shown before the first difference.
_LED_IN = 20
_ABSENT, _EMPTY = "(none)", '""'


def lines(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield a line for each field that differs: path, old value, new value."""
    for path, old, new in _told(differences):
        yield f"{path}: {old} -> {new}"


def external_field_lines(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield a sentence for each field of another owner: its actual value, and the value in the settings."""
    for path, seen, wanted in _told(differences):
        now = f"has no {path}" if seen == _ABSENT else f"{path} is {seen}"
        yield f"{now}; the settings say {'nothing' if wanted == _ABSENT else wanted}"


def drift_line(field: DriftField) -> str:
    """Return a field of a drift: the health that AWS tells, or the recorded and the actual value."""
    if field.is_status:
        return f"{field.path}: {told(mask(field.actual))}"
    return "; ".join(lines([Difference(field.path, field.recorded, field.actual)]))


def _told(differences: Iterable[Difference]) -> Iterator[tuple[str, str, str]]:
    """Yield path, old text and new text of each field that differs, with sensitive values masked."""
    for one in differences:
        old, new = mask(one.old), mask_changes(one.new, one.old)
        found = list(_leaves(one.path, old, new)) or _beside(one.path, old, new)
        for path, old, new in found:
            yield path, *_told_apart(old, new)


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, old and new value of the innermost values that differ.

    Items of lists are compared by name where they have names. A key that only `old` has is left out, as AWS
    may have added it, unless `new` has keys that `old` lacks: those may take its place.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        come = [key for key in new if key not in old]
        # If new keys take the place of old ones, both are shown. Else a key that only AWS has is AWS's own.
        gone = [key for key in old if key not in new] if come else []
        yield from ((f"{path}.{key}", old[key], None) for key in gone)
        for key, inner in new.items():
            if (gone and key in come) or not covers(old.get(key), inner):
                yield from _leaves(f"{path}.{key}", old.get(key), inner)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _members(path, old, new)
    else:
        yield path, old, new


def _members(path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, old and new value of the items of two lists that differ.

    Items are matched by name, or by position in two lists of equally many mappings. Other short lists are one
    value. From other long lists the removed and the added items are yielded.
    """
    before, now = _named(old), _named(new)
    left = [one for one in old if not any(covers(one, other) for other in new)]
    come = [one for one in new if not any(covers(other, one) for other in old)]
    if before is not None and now is not None:
        for name in {**before, **now}:
            if not covers(before.get(name), now.get(name)):
                yield from _leaves(f"{path}.{name}", before.get(name), now.get(name))
    elif _are_alike(old, new):
        for former, inner in zip(left, come, strict=False):
            yield from _leaves(f"{path}.{new.index(inner)}", former, inner)
    elif all(_fits(value) for value in (old, new)):
        yield path, old, new
    else:
        yield from ((f"{path}[]", one, None) for one in left)
        yield from ((f"{path}[]", None, one) for one in come)


def _named(members: list[Any]) -> dict[str, Any] | None:
    """Return the items of a list by their `name`; None if an item has no name, or if two have the same."""
    named = [one for one in members if isinstance(one, Mapping) and isinstance(one.get("name"), str)]
    told = {one["name"]: {key: inner for key, inner in one.items() if key != "name"} for one in named}
    return told if len(told) == len(members) else None


def _beside(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield path and value of the innermost values that only `old` has, with None as the new value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, inner in old.items():
            if key not in new:
                yield f"{path}.{key}", inner, None
            else:
                yield from _beside(f"{path}.{key}", inner, new[key])
    elif _are_alike(old, new):
        for at, (former, inner) in enumerate(zip(old, new, strict=True)):
            yield from _beside(f"{path}.{at}", former, inner)


def _are_alike(old: Any, new: Any) -> bool:
    """Return whether both values are lists of the same length that contain only mappings."""
    if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
        return False
    return all(isinstance(one, Mapping) for one in old + new)


def told(value: Any) -> str:
    """Return a value as one short line of text."""
    if value is None:
        return _ABSENT
    return _cut(_text(value))


def _cut(text: str) -> str:
    """Return the text, shortened to the greatest width."""
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _told_apart(old: Any, new: Any) -> tuple[str, str]:
    """Return two values, each as one short line; long ones begin shortly before the first difference."""
    if old is None or new is None or (_fits(old) and _fits(new)):
        return told(old), told(new)
    texts = _text(old), _text(new)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    start = max(0, alike - _LED_IN)
    before, after = (_cut("…" + text[start:] if start else text) for text in texts)
    return before, after


def _fits(value: Any) -> bool:
    """Return whether the text of a value is not too long for one line."""
    return len(_text(value)) <= _WIDEST


def _text(value: Any) -> str:
    """Return a value as text: text as it is, everything else as JSON."""
    return (value or _EMPTY) if isinstance(value, str) else json.dumps(value, default=str)
