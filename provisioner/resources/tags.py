"""Conversions between a mapping of tags and the shapes that AWS services use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as `[{"Key": ..., "Value": ...}]`, as most services take them."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def lower_case_pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as `[{"key": ..., "value": ...}]`, as ECS takes them."""
    return [{"key": name, "value": value} for name, value in tags.items()]


def mapping(given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return tags as a mapping, from a list of pairs in either shape."""
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in given}
