"""Sensitive values from the user: compared in clear, stored as fingerprints, shown as "(set)"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.engine.refs import Lookup, Veiled, unveiled
from state.fingerprints import fingerprint_of, is_fingerprint, matches_fingerprint

SET, CHANGED = "(set)", "(changed)"


class Private(Veiled):
    """A sensitive value with its name, which is part of its fingerprint.

    It is equal to its fingerprint, and to another `Private` with the same name and value.
    """

    mark = SET

    def __init__(self, label: str, value: str) -> None:
        self.label = label
        self._value = value

    def reveal(self, aws: Any = None, lookup: Lookup | None = None) -> str:  # noqa: ARG002 - it is in hand
        """Return the value."""
        return self._value

    def marked(self, salt: str) -> str:
        """Return the fingerprint that is stored in place of the value."""
        return fingerprint_of(salt, self.label, self._value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Private):
            return (self.label, self._value) == (other.label, other._value)
        return matches_fingerprint(other, self.label, self._value)

    def __hash__(self) -> int:
        return hash(self.label)


def written(value: Any, salt: str) -> Any:
    """Return `value` in its stored form: sensitive values as fingerprints, other secrets as their names."""
    match value:
        case Private():
            return value.marked(salt)
        case Mapping():
            return {key: written(inner, salt) for key, inner in value.items()}
        case list() | tuple():
            return [written(inner, salt) for inner in value]
        case _:
            return unveiled(value)


def masked(value: Any) -> Any:
    """Return `value` in its shown form: sensitive values as "(set)", other secrets as their names."""
    match value:
        case Mapping():
            return {key: masked(inner) for key, inner in value.items()}
        case list() | tuple():
            return [masked(inner) for inner in value]
        case _:
            return SET if _is_private(value) else unveiled(value)


def masked_beside(value: Any, deposed: Any) -> Any:
    """Return `value` as `masked` does, with "(changed)" for a sensitive value that differs from `deposed`."""
    if _is_private(value):
        return CHANGED if _is_private(deposed) and not _is_same(value, deposed) else SET
    if isinstance(value, Mapping):
        before = deposed if isinstance(deposed, Mapping) else {}
        return {key: masked_beside(inner, before.get(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked_beside(one, _counterpart(one, at, deposed)) for at, one in enumerate(value)]
    return unveiled(value)


def _counterpart(one: Any, at: int, deposed: Any) -> Any:
    """Return the item of the list `deposed` with the same name, else the one at the same position."""
    if not isinstance(deposed, list | tuple):
        return None
    if isinstance(one, Mapping) and "name" in one:
        same = (each for each in deposed if isinstance(each, Mapping) and each.get("name") == one["name"])
        return next(same, None)
    return deposed[at] if at < len(deposed) else None


def _is_private(value: object) -> bool:
    return isinstance(value, Private) or is_fingerprint(value)


def _is_same(one: object, other: object) -> bool:
    """Return whether two values are equal; fingerprints with two different salts never are."""
    return bool(one == other)
