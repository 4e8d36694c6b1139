"""The reads of ECS services (DescribeServices)."""

from __future__ import annotations

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND
from provisioner.service_clients import ECS

# botocore ecs DescribeServices: the most services in one call.
_MAX_SERVICES = 10


def read_active_service(clients: Clients, cluster: str, service: str) -> JsonObject | None:
    """Return an active service, given by name or ARN; None if it or its cluster is missing, or is being deleted."""
    try:
        listed = describe_services(clients.client(ECS), service, cluster)
    except ClientError as error:
        if code_of(error) in CLUSTER_NOT_FOUND:
            return None
        raise
    matching = (each for each in listed if service in (each["serviceArn"], each["serviceName"]))
    return next((each for each in matching if each["status"] == "ACTIVE"), None)


def describe_services(ecs: ECS, service: str, cluster: str) -> list[JsonObject]:
    """Return a service and others of its cluster that this run reads in the same call (DescribeServices)."""
    name = cluster.rpartition("/")[2]
    services = ecs.batch_scope.batch(service, "Service", most=_MAX_SERVICES, among=f":service/{name}/")
    listed = ecs.describe_services(cluster=name, services=services, include=["TAGS"])["services"]
    return list(listed) if ecs.is_faithful else [_with_current_task_definition(each) for each in listed]


def _with_current_task_definition(service: JsonObject) -> JsonObject:
    """Return a service whose only deployment has the service's task definition.

    moto never updates the task definition of a deployment.
    """
    deployments = service.get("deployments", [])
    if len(deployments) != 1:
        return service
    return {**service, "deployments": [{**deployments[0], "taskDefinition": service["taskDefinition"]}]}
