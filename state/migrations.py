"""Migrations: the changes that turn a state file of an older schema into one of the newest.

| from | to | what changes                                                                      |
|------|----|-----------------------------------------------------------------------------------|
| 1    | 2  | `salt` is new; the values of a container's variables are replaced by fingerprints |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from state.marks import mark_of, salt_of

OLDEST, NEWEST = 1, 2
# The variables that the stack itself gave every container under schema 1: not secret, and stored in clear.
_OPEN_IN_1 = frozenset(
    {"SESSIONS_TABLE", "DB_HOST", "DB_READER_HOST", "DB_PORT", "DB_NAME", "DB_SECRET_ARN", "DB_IAM_USER"}
    | {"DB_USERNAME", "DB_PASSWORD"}
)


def migrated(raw: Mapping[str, Any], schema: int) -> dict[str, Any]:
    """Return the fields of a state file of `schema` in the form of the newest schema."""
    return _from_1(raw) if schema == 1 else dict(raw)


def _from_1(raw: Mapping[str, Any]) -> dict[str, Any]:
    # The same salt at every read: a plan may be saved before the migrated state is first written, and be
    # compared with it afterwards.
    salt = salt_of(str(raw.get("lineage")))
    told = {name: _marked(value, salt) if name in ("entries", "tombstones") else value for name, value in raw.items()}
    return {**told, "salt": salt}


def _marked(value: Any, salt: str) -> Any:
    """Return `value` with a fingerprint for each value in a list of variables, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: [_variable(one, salt) for one in inner]
            if key == "environment" and isinstance(inner, list)
            else _marked(inner, salt)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_marked(one, salt) for one in value]
    return value


def _variable(one: Any, salt: str) -> Any:
    """Return a pair of `name` and `value` with the value replaced by its fingerprint."""
    if not isinstance(one, Mapping) or one.get("name") in _OPEN_IN_1 or "value" not in one:
        return one
    return {**one, "value": mark_of(salt, str(one.get("name")), str(one["value"]))}
