"""Fingerprints: salted hashes that are stored in place of values that may be secret, to detect a change."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_ALGORITHM = "hmac-sha256"
_SALT_BYTES = 16
_FINGERPRINT = re.compile(_ALGORITHM + r":(?P<salt>[0-9a-f]{32}):[0-9a-f]{64}")


def new_salt() -> str:
    """Return 16 random bytes as hex; a state keeps its salt for life."""
    return secrets.token_hex(_SALT_BYTES)


def salt_from_lineage(lineage: str) -> str:
    """Return a salt for a state that has none yet, derived from its lineage.

    The lineage is as random as a salt, and no two states share it.
    """
    return hashlib.sha256(f"salt of {lineage}".encode()).hexdigest()[: 2 * _SALT_BYTES]


def fingerprint_of(salt: str, label: str, value: str) -> str:
    """Return the fingerprint that is stored in place of `value`; `label` is the name of that value.

    The label is hashed too, so that equal values under two names get different fingerprints.
    """
    digest = hmac.new(salt.encode(), f"{label}\0{value}".encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM}:{salt}:{digest}"


def is_fingerprint(text: object) -> bool:
    """Return whether a value is a fingerprint."""
    return isinstance(text, str) and _FINGERPRINT.fullmatch(text) is not None


def matches_fingerprint(fingerprint: object, label: str, value: str) -> bool:
    """Return whether `fingerprint` is the fingerprint of this value under this label, whatever its salt."""
    match = _FINGERPRINT.fullmatch(fingerprint) if isinstance(fingerprint, str) else None
    return match is not None and hmac.compare_digest(match[0], fingerprint_of(match["salt"], label, value))
