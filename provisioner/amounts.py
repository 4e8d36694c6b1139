"""Amounts in words: one resource, two resources."""

from __future__ import annotations


def amount(count: int, noun: str) -> str:
    """Return the count and its noun, with an `s` unless the count is 1."""
    return f"{count} {noun if count == 1 else f'{noun}s'}"
