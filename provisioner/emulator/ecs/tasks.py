"""A task's placement, its tags, and what its container answers to a health check's path."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from provisioner.emulator.ecs.model import Service, Task
from provisioner.emulator.moto_bridge import ask_moto, backend

# With this environment variable, a container answers 200 at the path in it, and 404 at all others.
SIGN = "ANSWERS"
# The locations in the nginx configuration of the placeholder image.
_PLACE = re.compile(r"location (= |~ )?(\S+) \{ return (\d+)")


def status_at(task: Task, path: str) -> int:
    """Return the status with which the task's first container answers a path; 200 if nothing tells."""
    container = task.definition["containerDefinitions"][0]
    for variable in container.get("environment", []):
        if variable["name"] == SIGN:
            return 200 if path == variable.get("value") else 404
    places = _PLACE.findall(" ".join(container.get("command", [])))
    return _of_nginx(places, path) if places else 200


def _of_nginx(places: list[tuple[str, str, str]], path: str) -> int:
    """Return nginx's status: of the exact location, the first pattern, or the longest prefix; else 404.

    Source: nginx doc, location.
    """
    exact = [code for sign, place, code in places if sign == "= " and place == path]
    fitting = [code for sign, place, code in places if sign == "~ " and re.search(place, path)]
    prefixes = [(len(place), code) for sign, place, code in places if not sign and path.startswith(place)]
    longest = [code for _, code in sorted(prefixes, reverse=True)]
    return int(next(iter([*exact, *fitting, *longest]), 404))


def provider_of_next(strategy: list[dict[str, Any]], providers: list[str]) -> str:
    """Return the capacity provider for one more task; "" without a strategy.

    AWS doc, API_CapacityProviderStrategyItem: the base is satisfied first; beyond it, tasks are spread in
    proportion to the weights.

    Args:
        strategy: The items of the capacity provider strategy.
        providers: The providers of the tasks that run.

    """
    if not strategy:
        return ""
    count = Counter(providers)
    for item in strategy:
        if count[item["capacityProvider"]] < item.get("base", 0):
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if item.get("weight", 0) > 0] or strategy
    return str(min(weighted, key=lambda item: _fill_of_provider(item, count))["capacityProvider"])


def _fill_of_provider(item: dict[str, Any], count: Counter[str]) -> tuple[float, int]:
    """Return the sort key of a provider: its tasks beyond the base, plus one, in relation to its weight."""
    beyond = count[item["capacityProvider"]] - item.get("base", 0)
    weight = item.get("weight", 0) or 1
    return (beyond + 1) / weight, -weight


Tags = list[dict[str, str]]


def service_tags(service: Service) -> Tags:
    """Return the current tags of a service."""
    moto_services = backend("ecs", service.place.account, service.place.region).services
    mirrored = moto_services.get(f"{service.cluster.rpartition('/')[2]}:{service.name}")
    return list(mirrored.tags or []) if mirrored else []


def propagated_tags(service: Service, definition: str) -> Tags:
    """Return the tags of a new task (botocore ServiceModel, CreateService, propagateTags)."""
    source = service.spec.get("propagateTags", "NONE")
    if source == "SERVICE":
        return service_tags(service)
    if source == "TASK_DEFINITION":
        request = {"taskDefinition": definition, "include": ["TAGS"]}
        return list(ask_moto(service.place, "ecs", "DescribeTaskDefinition", **request).get("tags", []))
    return []
