"""The tags of services, which moto keeps, and the tags that their new tasks get."""

from __future__ import annotations

from provisioner.embedded.containers.model import Service
from provisioner.embedded.inner import backend, do

Tags = list[dict[str, str]]


def service_tags(service: Service) -> Tags:
    """Return the current tags of a service."""
    kept = backend("ecs", service.place.account, service.place.region).services
    mirrored = kept.get(f"{service.cluster.rpartition('/')[2]}:{service.name}")
    return list(mirrored.tags or []) if mirrored else []


def propagated(service: Service, definition: str) -> Tags:
    """Return the tags of a new task (botocore ServiceModel, CreateService, propagateTags)."""
    source = service.spec.get("propagateTags", "NONE")
    if source == "SERVICE":
        return service_tags(service)
    if source == "TASK_DEFINITION":
        asked = {"taskDefinition": definition, "include": ["TAGS"]}
        return list(do(service.place, "ecs", "DescribeTaskDefinition", **asked).get("tags", []))
    return []
