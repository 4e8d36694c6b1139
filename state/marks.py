"""Salted hashes that stand for values which may be secret: they tell whether another value is the same."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_NAME = "hmac-sha256"
_SALT_BYTES = 16
_MARK = re.compile(_NAME + r":(?P<salt>[0-9a-f]{32}):[0-9a-f]{64}")


def new_salt() -> str:
    """Return 16 random bytes as hex; one state has one salt for its life."""
    return secrets.token_hex(_SALT_BYTES)


def salt_of(lineage: str) -> str:
    """Return the salt of a state that has none yet: its lineage is as random, and no other state's."""
    return hashlib.sha256(f"salt of {lineage}".encode()).hexdigest()[: 2 * _SALT_BYTES]


def mark_of(salt: str, label: str, value: str) -> str:
    """Return what is written down in the place of `value`, which is called `label`.

    The label is hashed too, so that equal values of two names do not show as equal.
    """
    told = hmac.new(salt.encode(), f"{label}\0{value}".encode(), hashlib.sha256).hexdigest()
    return f"{_NAME}:{salt}:{told}"


def is_mark(text: object) -> bool:
    """Whether a text stands for a value and is none."""
    return isinstance(text, str) and _MARK.fullmatch(text) is not None


def is_mark_of(mark: object, label: str, value: str) -> bool:
    """Whether `mark` stands for this value under this label, whatever salt it was made with."""
    found = _MARK.fullmatch(mark) if isinstance(mark, str) else None
    return found is not None and hmac.compare_digest(found[0], mark_of(found["salt"], label, value))
