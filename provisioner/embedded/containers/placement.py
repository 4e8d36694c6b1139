"""The choice of a task's capacity provider: the base first, then by weight."""

from __future__ import annotations

from collections import Counter
from typing import Any


def provider_of_next(strategy: list[dict[str, Any]], there: list[str]) -> str:
    """Return the capacity provider for one more task; "" without a strategy.

    AWS doc, API_CapacityProviderStrategyItem: the base is satisfied first; beyond it, tasks are spread in
    proportion to the weights.

    Args:
        strategy: The items of the capacity provider strategy.
        there: The providers of the tasks that run.

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
    """Return the sort key of a provider: its tasks beyond the base, plus one, in relation to its weight."""
    beyond = count[item["capacityProvider"]] - item.get("base", 0)
    weight = item.get("weight", 0) or 1
    return (beyond + 1) / weight, -weight
