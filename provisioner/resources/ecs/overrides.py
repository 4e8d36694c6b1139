"""What `deploy` and `scale` chose for a service: tags on the service keep it, even without a state file."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.names import COUNT_OWNER, IMAGE_OWNER, SHIPPED_WITH
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND
from provisioner.resources.ecs.service import describe_services
from provisioner.resources.tags import mapping
from provisioner.settings.overrides import Counts, ServiceOverrides, Size

DEPLOY, SCALE = "deploy", "scale"
SIZE_WORD, VARIABLE_PREFIX = "size", "env."
# botocore application-autoscaling DescribeScalableTargets: the most resources in one call.
_MAX_TARGETS = 50


def overrides_of(clients: Clients, cluster: str, service: str) -> ServiceOverrides:
    """Return what `deploy` and `scale` chose for a service (a name or an ARN); empty if they chose nothing.

    The tags of the service say which of the two chose something; the values are read from what runs.
    """
    ecs = clients.client("ecs")
    try:
        listed = describe_services(ecs, service, cluster)
    except ClientError as error:
        if code_of(error) in CLUSTER_NOT_FOUND:
            return ServiceOverrides()
        raise
    mine = (one for one in listed if service in (one["serviceArn"], one["serviceName"]))
    actual = next((one for one in mine if one["status"] == "ACTIVE"), None)
    tags = mapping(actual.get("tags", [])) if actual else {}
    marks = {key: tags[key] for key in (IMAGE_OWNER, SHIPPED_WITH, COUNT_OWNER) if key in tags}
    if actual is None or not marks:
        return ServiceOverrides()
    told: dict[str, Any] = {}
    if marks.get(IMAGE_OWNER) == DEPLOY:
        found = ecs.describe_task_definition(taskDefinition=actual["taskDefinition"], include=["TAGS"])
        told = _values_set_by_deploy(actual, found["taskDefinition"], marks.get(SHIPPED_WITH, "").split())
    if marks.get(COUNT_OWNER) == SCALE:
        told["counts"] = _read_counts(clients, f"service/{cluster}/{actual['serviceName']}")
    return ServiceOverrides(**told, tags=marks)


def main_container(service: JsonObject, revision: JsonObject) -> JsonObject:
    """Return the container definition to which the service's load balancer sends requests."""
    named = [one["containerName"] for one in service.get("loadBalancers", [])]
    listed = revision["containerDefinitions"]
    found: JsonObject = next((one for one in listed if one["name"] in named), listed[0])
    return found


def _values_set_by_deploy(service: JsonObject, revision: JsonObject, chosen: list[str]) -> dict[str, Any]:
    """Return image, size and variables that `deploy` chose, read from the running revision.

    `chosen` are the words of the tag: "size", and "env.NAME" for each variable.
    """
    container = main_container(service, revision)
    has = {one["name"]: one["value"] for one in container.get("environment", [])}
    names = [word.removeprefix(VARIABLE_PREFIX) for word in chosen if word.startswith(VARIABLE_PREFIX)]
    return {
        "image": str(container["image"]),
        "revision": str(revision["taskDefinitionArn"]),
        "size": Size(int(revision["cpu"]), int(revision["memory"])) if SIZE_WORD in chosen else None,
        "environment": {name: has[name] for name in names if name in has},
    }


def _read_counts(clients: Clients, resource: str) -> Counts | None:
    """Return the scaling limits of a service (DescribeScalableTargets), or None if it is not scaled.

    The call is the same as the one that reads the scalable target itself, so its answer is shared.
    """
    scaling = clients.client("application-autoscaling")
    together = scaling.batch_scope.batch(resource, "ScalableTarget", most=_MAX_TARGETS)
    listed = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=together)
    found = next((one for one in listed["ScalableTargets"] if one["ResourceId"] == resource), None)
    return Counts(found["MinCapacity"], found["MaxCapacity"]) if found else None
