"""The overrides that `deploy` and `scale` chose for a service; its tags record them, even without a state file."""

from __future__ import annotations

from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.names import COUNT_OWNER, IMAGE_OWNER, SHIPPED_WITH
from provisioner.resources.ecs.described_services import read_active_service
from provisioner.resources.tags import mapping
from provisioner.service_clients import ECS, ApplicationAutoScaling
from provisioner.settings.overrides import Counts, ServiceOverrides, Size

DEPLOY, SCALE = "deploy", "scale"
SIZE_WORD, VARIABLE_PREFIX = "size", "env."
# botocore application-autoscaling DescribeScalableTargets: the most resources in one call.
_MAX_TARGETS = 50


def overrides_of(clients: Clients, cluster: str, service: str) -> ServiceOverrides:
    """Return the overrides that `deploy` and `scale` chose for a service, given by name or ARN.

    The tags of the service say which of the two commands chose values. The values are read from the running
    revision and from the scalable target. Without such tags, or without the service, there are no overrides.
    """
    actual = read_active_service(clients, cluster, service)
    tags = mapping(actual.get("tags", [])) if actual else {}
    marks = {key: tags[key] for key in (IMAGE_OWNER, SHIPPED_WITH, COUNT_OWNER) if key in tags}
    if actual is None or not marks:
        return ServiceOverrides()
    values: dict[str, Any] = {}
    if marks.get(IMAGE_OWNER) == DEPLOY:
        values = _values_set_by_deploy(actual, _read_revision(clients, actual), marks.get(SHIPPED_WITH, "").split())
    if marks.get(COUNT_OWNER) == SCALE:
        values["counts"] = _read_counts(clients, f"service/{cluster}/{actual['serviceName']}")
    return ServiceOverrides(**values, tags=marks)


def running_variables(clients: Clients, cluster: str, service: str) -> dict[str, str]:
    """Return the environment variables of the task definition that a service runs, given by name or ARN; {} if none."""
    actual = read_active_service(clients, cluster, service)
    return _variables_of(main_container(actual, _read_revision(clients, actual))) if actual else {}


def _read_revision(clients: Clients, service: JsonObject) -> JsonObject:
    """Return the task definition of a service as described (DescribeTaskDefinition)."""
    ecs = clients.client(ECS)
    reply = ecs.describe_task_definition(taskDefinition=service["taskDefinition"], include=["TAGS"])
    return reply["taskDefinition"]


def _variables_of(container: JsonObject) -> dict[str, str]:
    """Return the environment variables of a container definition."""
    return {variable["name"]: variable["value"] for variable in container.get("environment", [])}


def main_container(service: JsonObject, revision: JsonObject) -> JsonObject:
    """Return the container definition to which the load balancer sends requests, else the first one."""
    balanced = [balancer["containerName"] for balancer in service.get("loadBalancers", [])]
    containers = revision["containerDefinitions"]
    container: JsonObject = next((each for each in containers if each["name"] in balanced), containers[0])
    return container


def _values_set_by_deploy(service: JsonObject, revision: JsonObject, words: list[str]) -> dict[str, Any]:
    """Return image, size and variables that `deploy` chose, read from the running revision.

    `words` are the words of the tag: "size", and "env.NAME" for each variable.
    """
    container = main_container(service, revision)
    variables = _variables_of(container)
    names = [word.removeprefix(VARIABLE_PREFIX) for word in words if word.startswith(VARIABLE_PREFIX)]
    return {
        "image": str(container["image"]),
        "revision": str(revision["taskDefinitionArn"]),
        "size": Size(int(revision["cpu"]), int(revision["memory"])) if SIZE_WORD in words else None,
        "environment": {name: variables[name] for name in names if name in variables},
    }


def _read_counts(clients: Clients, resource: str) -> Counts | None:
    """Return the scaling limits of a service (DescribeScalableTargets), or None if it is not scaled.

    `ScalableTarget` makes the same call, so that both share one reply.
    """
    scaling = clients.client(ApplicationAutoScaling)
    resource_ids = scaling.batch_scope.batch(resource, "ScalableTarget", most=_MAX_TARGETS)
    listed = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=resource_ids)
    target = next((each for each in listed["ScalableTargets"] if each["ResourceId"] == resource), None)
    return Counts(target["MinCapacity"], target["MaxCapacity"]) if target else None
