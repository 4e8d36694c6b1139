"""The shapes in which AWS's services take and give tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """`[{"Key": ..., "Value": ...}]`, as most services take them."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def low_pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """`[{"key": ..., "value": ...}]`, as ECS takes them."""
    return [{"key": name, "value": value} for name, value in tags.items()]


def mapping(given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Either list of pairs as a mapping."""
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in given}
