"""Fingerprints: salted hashes that are stored in place of values that may be secret, to detect a change."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_NAME = "hmac-sha256"
_SALT_BYTES = 16
_MARK = re.compile(_NAME + r":(?P<salt>[0-9a-f]{32}):[0-9a-f]{64}")


def new_salt() -> str:
    """Return 16 random bytes as hex; a state keeps its salt for life."""
    return secrets.token_hex(_SALT_BYTES)


def salt_of(lineage: str) -> str:
    """Return a salt for a state that has none yet, derived from its lineage.

    The lineage is as random as a salt, and no two states share it.
    """
    return hashlib.sha256(f"salt of {lineage}".encode()).hexdigest()[: 2 * _SALT_BYTES]


def mark_of(salt: str, label: str, value: str) -> str:
    """Return the fingerprint that is stored in place of `value`; `label` is the name of that value.

    The label is hashed too, so that equal values under two names get different fingerprints.
    """
    told = hmac.new(salt.encode(), f"{label}\0{value}".encode(), hashlib.sha256).hexdigest()
    return f"{_NAME}:{salt}:{told}"


def is_mark(text: object) -> bool:
    """Return whether a value is a fingerprint."""
    return isinstance(text, str) and _MARK.fullmatch(text) is not None


def is_mark_of(mark: object, label: str, value: str) -> bool:
    """Return whether `mark` is the fingerprint of this value under this label, whatever its salt."""
    found = _MARK.fullmatch(mark) if isinstance(mark, str) else None
    return found is not None and hmac.compare_digest(found[0], mark_of(found["salt"], label, value))
