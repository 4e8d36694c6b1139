"""Sensitive values from the user: compared in clear, stored as fingerprints, shown as "(set)"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.engine.resource_graph.references import Lookup, SecretValue, redact
from state.fingerprints import fingerprint_of, is_fingerprint, matches_fingerprint

SET, CHANGED = "(set)", "(changed)"


class SensitiveValue(SecretValue):
    """A sensitive value with its name, which is part of its fingerprint.

    It is equal to its fingerprint, and to another `SensitiveValue` with the same name and value.
    """

    fingerprint = SET

    def __init__(self, label: str, value: str) -> None:
        self.label = label
        self._value = value

    def reveal(self, clients: Any = None, lookup: Lookup | None = None) -> str:  # noqa: ARG002 - it is in hand
        """Return the value."""
        return self._value

    def fingerprint_with(self, salt: str) -> str:
        """Return the fingerprint that is stored in place of the value."""
        return fingerprint_of(salt, self.label, self._value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SensitiveValue):
            return (self.label, self._value) == (other.label, other._value)
        return matches_fingerprint(other, self.label, self._value)

    def __hash__(self) -> int:
        return hash(self.label)


def to_recorded(value: Any, salt: str) -> Any:
    """Return `value` in its stored form: sensitive values as fingerprints, other secrets as their names."""
    match value:
        case SensitiveValue():
            return value.fingerprint_with(salt)
        case Mapping():
            return {key: to_recorded(inner, salt) for key, inner in value.items()}
        case list() | tuple():
            return [to_recorded(inner, salt) for inner in value]
        case _:
            return redact(value)


def mask(value: Any) -> Any:
    """Return `value` in its shown form: sensitive values as "(set)", other secrets as their names."""
    match value:
        case Mapping():
            return {key: mask(inner) for key, inner in value.items()}
        case list() | tuple():
            return [mask(inner) for inner in value]
        case _:
            return SET if _is_sensitive(value) else redact(value)


def mask_changes(value: Any, former: Any) -> Any:
    """Return `value` as `mask` does, with "(changed)" for a sensitive value that differs from the former one."""
    if _is_sensitive(value):
        return CHANGED if _is_sensitive(former) and not _is_same(value, former) else SET
    if isinstance(value, Mapping):
        former_members = former if isinstance(former, Mapping) else {}
        return {key: mask_changes(inner, former_members.get(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask_changes(item, _counterpart(item, index, former)) for index, item in enumerate(value)]
    return redact(value)


def _counterpart(item: Any, index: int, former: Any) -> Any:
    """Return the item of the former list with the same name, else the one at the same position."""
    if not isinstance(former, list | tuple):
        return None
    if isinstance(item, Mapping) and "name" in item:
        same = (each for each in former if isinstance(each, Mapping) and each.get("name") == item["name"])
        return next(same, None)
    return former[index] if index < len(former) else None


def _is_sensitive(value: object) -> bool:
    return isinstance(value, SensitiveValue) or is_fingerprint(value)


def _is_same(one: object, other: object) -> bool:
    """Return whether two values are equal; fingerprints with two different salts never are."""
    return bool(one == other)
