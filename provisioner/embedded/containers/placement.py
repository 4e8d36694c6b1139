"""Which capacity provider a task goes to: the base first, then by weight."""

from __future__ import annotations

from collections import Counter
from typing import Any


def provider_of_next(strategy: list[dict[str, Any]], there: list[str]) -> str:
    """Choose for one more task, given the providers of those there are.

    AWS doc, API_CapacityProviderStrategyItem: the base is satisfied first; beyond it, tasks are
    spread in proportion to the weights.
    """
    if not strategy:
        return ""
    count = Counter(there)
    for item in strategy:
        if count[item["capacityProvider"]] < item.get("base", 0):
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if item.get("weight", 0) > 0] or strategy
    return str(min(weighted, key=lambda item: _fill(item, count))["capacityProvider"])


def _fill(item: dict[str, Any], count: Counter[str]) -> tuple[float, int]:
    """How full a provider would be with one more, beyond its base."""
    beyond = count[item["capacityProvider"]] - item.get("base", 0)
    weight = item.get("weight", 0) or 1
    return (beyond + 1) / weight, -weight
