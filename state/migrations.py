"""Migrations: the changes that turn a state file of an older schema into one of the newest.

| from | to | what changes                                                                      |
|------|----|-----------------------------------------------------------------------------------|
| 1    | 2  | `salt` is new; the values of a container's variables are replaced by fingerprints |
| 2    | 3  | `settings` is new: the settings of the last apply                                 |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from state.fingerprints import fingerprint_of, salt_from_lineage

OLDEST, NEWEST = 1, 3
# The variables that the stack itself gave every container under schema 1: not secret, and stored in clear.
_PLAIN_IN_SCHEMA_1 = frozenset(
    {"SESSIONS_TABLE", "DB_HOST", "DB_READER_HOST", "DB_PORT", "DB_NAME", "DB_SECRET_ARN", "DB_IAM_USER"}
    | {"DB_USERNAME", "DB_PASSWORD"}
)


def migrate(record: Mapping[str, Any], schema: int) -> dict[str, Any]:
    """Return the fields of a state file of `schema` in the form of the newest schema."""
    return _migrate_1_to_2(record) if schema == 1 else dict(record)


def _migrate_1_to_2(record: Mapping[str, Any]) -> dict[str, Any]:
    # The same salt at every read: a plan may be saved before the migrated state is first written, and be
    # compared with it afterwards.
    salt = salt_from_lineage(str(record.get("lineage")))
    fields = {
        name: _with_fingerprints(value, salt) if name in ("entries", "tombstones") else value
        for name, value in record.items()
    }
    return {**fields, "salt": salt}


def _with_fingerprints(value: Any, salt: str) -> Any:
    """Return `value` with a fingerprint for each value in a list of variables, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: [_fingerprinted_variable(item, salt) for item in inner]
            if key == "environment" and isinstance(inner, list)
            else _with_fingerprints(inner, salt)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_fingerprints(item, salt) for item in value]
    return value


def _fingerprinted_variable(item: Any, salt: str) -> Any:
    """Return a pair of `name` and `value` with the value replaced by its fingerprint."""
    if not isinstance(item, Mapping) or item.get("name") in _PLAIN_IN_SCHEMA_1 or "value" not in item:
        return item
    return {**item, "value": fingerprint_of(salt, str(item.get("name")), str(item["value"]))}
