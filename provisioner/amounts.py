"""An amount as a person reads it: one resource, two resources."""

from __future__ import annotations


def amount(count: int, noun: str) -> str:
    """Return the count and its noun, with an `s` where it is not one."""
    return f"{count} {noun if count == 1 else f'{noun}s'}"
