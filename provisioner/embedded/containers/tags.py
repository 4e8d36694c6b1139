"""The tags of services, which moto keeps, and those that their tasks are born with."""

from __future__ import annotations

from provisioner.embedded.containers.model import Service
from provisioner.embedded.inner import backend, do

Tags = list[dict[str, str]]


def service_tags(service: Service) -> Tags:
    """What the service bears now."""
    kept = backend("ecs", service.place.account, service.place.region).services
    mirrored = kept.get(f"{service.cluster.rpartition('/')[2]}:{service.name}")
    return list(mirrored.tags or []) if mirrored else []


def propagated(service: Service, definition: str) -> Tags:
    """What a task that starts now is given: botocore ServiceModel, CreateService, propagateTags."""
    source = service.spec.get("propagateTags", "NONE")
    if source == "SERVICE":
        return service_tags(service)
    if source == "TASK_DEFINITION":
        asked = {"taskDefinition": definition, "include": ["TAGS"]}
        return list(do(service.place, "ecs", "DescribeTaskDefinition", **asked).get("tags", []))
    return []
