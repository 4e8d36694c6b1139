"""The rule behind every comparison: whether an actual value holds what is stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def covers(actual: Any, stated: Any) -> bool:
    """Return whether `actual` holds everything that `stated` states.

    A frozenset in `stated` means any one of its values. Mappings are compared key by key and may hold further
    keys. Lists are compared whole, as multisets.
    """
    match stated:
        case frozenset():
            return actual in stated
        case Mapping():
            return isinstance(actual, Mapping) and all(
                key in actual and covers(actual[key], inner) for key, inner in stated.items()
            )
        case list() | tuple():
            return isinstance(actual, list) and _same_members(actual, stated)
        case _:
            return bool(actual == stated)


def _same_members(actual: list[Any], stated: list[Any] | tuple[Any, ...]) -> bool:
    """Return whether desired and actual items can be paired one to one, each covered, with none left over."""
    if not stated:
        return not actual
    first, rest = stated[0], stated[1:]
    return len(actual) == len(stated) and any(
        covers(other, first) and _same_members(actual[:at] + actual[at + 1 :], rest) for at, other in enumerate(actual)
    )


def covers_exactly(actual: Any, stated: Any) -> bool:
    """Return whether `actual` holds what `stated` states and nothing else; empty values do not count."""
    return covers(actual, stated) and covers(stated, _without_empty(actual))


def _without_empty(value: Any) -> Any:
    """Return the value without empty members, at every depth."""
    match value:
        case Mapping():
            members = {key: _without_empty(member) for key, member in value.items()}
            return {key: member for key, member in members.items() if member not in (None, "", [], {})}
        case list():
            return [_without_empty(item) for item in value]
        case _:
            return value
