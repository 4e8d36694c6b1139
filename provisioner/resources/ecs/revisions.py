"""The task definition revision that a service runs, and the next revision made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.planning.diff import differences
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import SensitiveValue
from provisioner.names import has_stack_tags
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND
from provisioner.resources.ecs.overrides import main_container
from provisioner.resources.ecs.service import describe_services
from provisioner.resources.ecs.task_definitions import TaskDefinition, with_sensitive_variables
from provisioner.resources.tags import mapping

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the
# source.
CALLS = {"ecs": ("DescribeTaskDefinition", "ListTaskDefinitions")}
# The arguments of RegisterTaskDefinition (botocore ecs). Whatever else a described revision has is AWS's own.
_REGISTRATION_KEYS = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)


@dataclass(frozen=True)
class RunningRevision:
    """A service as described, with the revision that it is to run."""

    service: JsonObject
    task_definition: JsonObject

    @property
    def arn(self) -> str:
        """The revision's ARN."""
        return str(self.task_definition["taskDefinitionArn"])

    @property
    def container(self) -> JsonObject:
        """The container to which the load balancer sends requests."""
        return main_container(self.service, self.task_definition)

    @property
    def image(self) -> str:
        """The image of the main container."""
        return str(self.container["image"])

    @property
    def tags(self) -> Mapping[str, str]:
        """The service's tags."""
        return mapping(self.service.get("tags", []))

    @property
    def primary(self) -> JsonObject:
        """The primary deployment, which is the desired one; {} if there is none."""
        none: JsonObject = {}
        return next((one for one in self.service["deployments"] if one["status"] == "PRIMARY"), none)

    @property
    def is_settled(self) -> bool:
        """Whether the primary deployment is complete."""
        return bool(self.primary.get("rolloutState", "COMPLETED") == "COMPLETED")

    @property
    def has_failed(self) -> bool:
        """Whether the deployment failed and ECS had no earlier one to roll back to: ECS does nothing more."""
        return bool(self.primary.get("rolloutState") == "FAILED")


@dataclass(frozen=True)
class RevisionChanges:
    """The values that the next revision has in place of those of the running one."""

    image: str
    cpu: int | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    # None keeps the command as it is; an empty one is the command of the image.
    command: tuple[str, ...] | None = None


def read_running_revision(clients: Clients, cluster: str, service: str) -> RunningRevision | None:
    """Return a service with the revision that it is to run; None if it is missing or being deleted.

    Calls DescribeServices and DescribeTaskDefinition.
    """
    ecs = clients.client("ecs")
    try:
        listed = describe_services(ecs, service, cluster)
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return None
    actual = next((one for one in listed if one["status"] == "ACTIVE"), None)
    return RunningRevision(actual, read_revision(clients, actual["taskDefinition"])) if actual else None


def read_revision(clients: Clients, name: str) -> JsonObject:
    """Return a revision by its ARN, or the newest of a family (DescribeTaskDefinition).

    Its variables are sensitive values; its tags are in `Tags`.
    """
    found = clients.client("ecs").describe_task_definition(taskDefinition=name, include=["TAGS"])
    return {**with_sensitive_variables(found["taskDefinition"]), "Tags": mapping(found.get("tags", []))}


def list_revisions(clients: Clients, family: str, suffix: str, limit: int) -> list[JsonObject]:
    """Return the active revisions of a family that belong to the stack, newest first (ListTaskDefinitions).

    At most `limit` revisions are described.
    """
    ecs = clients.client("ecs")
    arns = ecs.list_task_definitions(familyPrefix=family, status="ACTIVE", sort="DESC")["taskDefinitionArns"]
    mine = [arn for arn in arns if arn.rpartition("/")[2].rpartition(":")[0] == family]
    found = (read_revision(clients, arn) for arn in mine[:limit])
    return [actual for actual in found if has_stack_tags(actual["Tags"], suffix)]


def registration_arguments(actual: JsonObject) -> JsonObject:
    """Return the arguments that a revision was registered with."""
    return {key: actual[key] for key in _REGISTRATION_KEYS if actual.get(key) is not None}


def next_revision_arguments(running: RunningRevision, desired: RevisionChanges) -> JsonObject:
    """Return the arguments to register the next revision: the running one with the values of `desired`."""
    mine = running.container["name"]
    containers = [
        _changed_container(one, desired) if one["name"] == mine else one
        for one in running.task_definition["containerDefinitions"]
    ]
    props = {**registration_arguments(running.task_definition), "containerDefinitions": containers}
    if desired.cpu:
        props["cpu"] = str(desired.cpu)
    if desired.memory:
        props["memory"] = str(desired.memory)
    return props


def _changed_container(container: JsonObject, desired: RevisionChanges) -> JsonObject:
    has = {one["name"]: one["value"] for one in container.get("environment", [])}
    new = {name: SensitiveValue(name, value) for name, value in desired.environment.items()}
    told = [{"name": name, "value": value} for name, value in sorted({**has, **new}.items())]
    changed: dict[str, Any] = {**container, "image": desired.image, "environment": told}
    if desired.command is not None:
        changed["command"] = list(desired.command)
    return changed


def is_same_revision(props: JsonObject, actual: JsonObject) -> bool:
    """Return whether a described revision equals what would be registered."""
    return not differences(TaskDefinition(), props, actual, None)


def differing_paths(container: str, actual: JsonObject, other: JsonObject) -> list[str]:
    """Return the paths in which two revisions differ, apart from the image of the container named `container`."""
    found = differences(TaskDefinition(), registration_arguments(actual), registration_arguments(other), None)
    return [one.path for one in found if one.path != f"containerDefinitions.{container}.image"]


def missing_ports(service: JsonObject, actual: JsonObject) -> list[str]:
    """Return "container:port" for each load balancer target that a revision's containers do not expose."""
    containers = actual["containerDefinitions"]
    opens = {(one["name"], port["containerPort"]) for one in containers for port in one.get("portMappings", [])}
    asked = ((one["containerName"], one["containerPort"]) for one in service.get("loadBalancers", []))
    return [f"{name}:{port}" for name, port in asked if (name, port) not in opens]


def revision_number(arn: str) -> int:
    """Return the number of a revision from its ARN."""
    return int(arn.rpartition(":")[2])
