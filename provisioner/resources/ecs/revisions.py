"""The task definition revision that a service runs, and the next revision made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.diff import differences
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import SensitiveValue
from provisioner.names import has_stack_tags
from provisioner.resources.ecs.described_services import read_active_service
from provisioner.resources.ecs.overrides import main_container
from provisioner.resources.ecs.service_deployments import primary_deployment
from provisioner.resources.ecs.task_definitions import TaskDefinition, with_sensitive_variables
from provisioner.resources.tags import mapping
from provisioner.service_clients import ECS

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the source.
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
        """The primary deployment of the service, which is the desired one; {} if there is none."""
        return primary_deployment(self.service)

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
    """The values of the next revision that replace those of the running one."""

    image: str
    cpu: int | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    # None keeps the command as it is; an empty one is the command of the image.
    command: tuple[str, ...] | None = None


def read_running_revision(clients: Clients, cluster: str, service: str) -> RunningRevision | None:
    """Return a service with the revision that it is to run; None if the service is missing or being deleted.

    Calls DescribeServices and DescribeTaskDefinition.
    """
    described = read_active_service(clients, cluster, service)
    return RunningRevision(described, read_revision(clients, described["taskDefinition"])) if described else None


def read_revision(clients: Clients, name: str) -> JsonObject:
    """Return a revision by its ARN, or the newest of a family (DescribeTaskDefinition).

    Its variables are sensitive values; its tags are in `Tags`.
    """
    reply = clients.client(ECS).describe_task_definition(taskDefinition=name, include=["TAGS"])
    return {**with_sensitive_variables(reply["taskDefinition"]), "Tags": mapping(reply.get("tags", []))}


def list_revisions(clients: Clients, family: str, suffix: str, limit: int) -> list[JsonObject]:
    """Return the active revisions of a family that belong to the stack, newest first (ListTaskDefinitions).

    At most `limit` revisions are described.
    """
    ecs = clients.client(ECS)
    arns = ecs.list_task_definitions(familyPrefix=family, status="ACTIVE", sort="DESC")["taskDefinitionArns"]
    of_family = [arn for arn in arns if arn.rpartition("/")[2].rpartition(":")[0] == family]
    described = (read_revision(clients, arn) for arn in of_family[:limit])
    return [actual for actual in described if has_stack_tags(actual["Tags"], suffix)]


def registration_arguments(actual: JsonObject) -> JsonObject:
    """Return the arguments that a revision was registered with."""
    return {key: actual[key] for key in _REGISTRATION_KEYS if actual.get(key) is not None}


def next_revision_arguments(running: RunningRevision, changes: RevisionChanges) -> JsonObject:
    """Return the arguments to register the next revision: those of the running one, with the changes."""
    main = running.container["name"]
    containers = [
        _changed_container(container, changes) if container["name"] == main else container
        for container in running.task_definition["containerDefinitions"]
    ]
    props = {**registration_arguments(running.task_definition), "containerDefinitions": containers}
    if changes.cpu:
        props["cpu"] = str(changes.cpu)
    if changes.memory:
        props["memory"] = str(changes.memory)
    return props


def _changed_container(container: JsonObject, changes: RevisionChanges) -> JsonObject:
    """Return a container definition with the image, variables and command of the changes."""
    current = {variable["name"]: variable["value"] for variable in container.get("environment", [])}
    changed_values = {name: SensitiveValue(name, value) for name, value in changes.environment.items()}
    environment = [{"name": name, "value": value} for name, value in sorted({**current, **changed_values}.items())]
    changed: dict[str, Any] = {**container, "image": changes.image, "environment": environment}
    if changes.command is not None:
        changed["command"] = list(changes.command)
    return changed


def is_same_revision(props: JsonObject, actual: JsonObject) -> bool:
    """Return whether a described revision equals the one that would be registered with `props`."""
    return not differences(TaskDefinition(), props, actual, None)


def differing_paths(container: str, actual: JsonObject, other: JsonObject) -> list[str]:
    """Return the paths in which two revisions differ, apart from the image of the container named `container`."""
    found = differences(TaskDefinition(), registration_arguments(actual), registration_arguments(other), None)
    paths = [difference.path for difference in found]
    return [path for path in paths if path != f"containerDefinitions.{container}.image"]


def missing_ports(service: JsonObject, actual: JsonObject) -> list[str]:
    """Return "container:port" for each load balancer target that a revision's containers do not expose."""
    containers = actual["containerDefinitions"]
    exposed = {(each["name"], port["containerPort"]) for each in containers for port in each.get("portMappings", [])}
    balanced = ((balancer["containerName"], balancer["containerPort"]) for balancer in service.get("loadBalancers", []))
    return [f"{name}:{port}" for name, port in balanced if (name, port) not in exposed]


def revision_number(arn: str) -> int:
    """Return the number of a revision from its ARN."""
    return int(arn.rpartition(":")[2])
