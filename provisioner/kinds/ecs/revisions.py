"""What a service runs, as a revision of its task definition; and the next one, made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.compare import differences
from provisioner.engine.faults import code_of
from provisioner.engine.private import Private
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.service import described
from provisioner.kinds.ecs.shipped import main_container
from provisioner.kinds.ecs.tagged import NO_CLUSTER
from provisioner.kinds.ecs.tasks import TaskDefinition, sealed
from provisioner.kinds.tags import mapping
from provisioner.names import bears

# What is asked here, by service: `policy` grants it. tests/test_calls.py holds it against the source.
CALLS = {"ecs": ("DescribeTaskDefinition", "ListTaskDefinitions")}
# botocore ecs RegisterTaskDefinition: what a described revision tells besides is AWS's own.
_REGISTERED = (
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
class Running:
    """A service as it is, with the revision that it is to run."""

    service: Doc
    revision: Doc

    @property
    def arn(self) -> str:
        """The revision's ARN."""
        return str(self.revision["taskDefinitionArn"])

    @property
    def container(self) -> Doc:
        """The container that its balancer leads to."""
        return main_container(self.service, self.revision)

    @property
    def image(self) -> str:
        """The image of that container."""
        return str(self.container["image"])

    @property
    def tags(self) -> Mapping[str, str]:
        """The service's tags."""
        return mapping(self.service.get("tags", []))

    @property
    def primary(self) -> Doc:
        """The deployment that is wanted."""
        none: Doc = {}
        return next((one for one in self.service["deployments"] if one["status"] == "PRIMARY"), none)

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it is on its way."""
        return bool(self.primary.get("rolloutState", "COMPLETED") == "COMPLETED")

    @property
    def has_failed(self) -> bool:
        """Whether its deployment was given up with nothing to go back to: ECS does no more about it."""
        return bool(self.primary.get("rolloutState") == "FAILED")


@dataclass(frozen=True)
class Next:
    """What the next revision has in place of the one before."""

    image: str
    cpu: int | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    # None: the command stays as it is; empty: that of the image.
    command: tuple[str, ...] | None = None


def running(clients: Clients, cluster: str, service: str) -> Running | None:
    """DescribeServices, DescribeTaskDefinition; None where there is no such service, or it is going."""
    ecs = clients.client("ecs")
    try:
        listed = described(ecs, service, cluster)
    except ClientError as error:
        if code_of(error) not in NO_CLUSTER:
            raise
        return None
    doc = next((one for one in listed if one["status"] == "ACTIVE"), None)
    return Running(doc, revision(clients, doc["taskDefinition"])) if doc else None


def revision(clients: Clients, name: str) -> Doc:
    """DescribeTaskDefinition: by ARN, or the newest of a family, its variables private; its tags too."""
    found = clients.client("ecs").describe_task_definition(taskDefinition=name, include=["TAGS"])
    return {**sealed(found["taskDefinition"]), "Tags": mapping(found.get("tags", []))}


def revisions(clients: Clients, family: str, suffix: str, most: int) -> list[Doc]:
    """ListTaskDefinitions: those of a family that can be run and are the stack's, newest first."""
    ecs = clients.client("ecs")
    arns = ecs.list_task_definitions(familyPrefix=family, status="ACTIVE", sort="DESC")["taskDefinitionArns"]
    mine = [arn for arn in arns if arn.rpartition("/")[2].rpartition(":")[0] == family]
    found = (revision(clients, arn) for arn in mine[:most])
    return [doc for doc in found if bears(doc["Tags"], suffix)]


def registered(doc: Doc) -> Doc:
    """What a revision was registered with."""
    return {key: doc[key] for key in _REGISTERED if doc.get(key) is not None}


def revised(now: Running, wanted: Next) -> Doc:
    """The revision that runs, with what is wanted in place of what it has."""
    mine = now.container["name"]
    containers = [
        _revised(one, wanted) if one["name"] == mine else one for one in now.revision["containerDefinitions"]
    ]
    props = {**registered(now.revision), "containerDefinitions": containers}
    if wanted.cpu:
        props["cpu"] = str(wanted.cpu)
    if wanted.memory:
        props["memory"] = str(wanted.memory)
    return props


def _revised(container: Doc, wanted: Next) -> Doc:
    has = {one["name"]: one["value"] for one in container.get("environment", [])}
    new = {name: Private(name, value) for name, value in wanted.environment.items()}
    told = [{"name": name, "value": value} for name, value in sorted({**has, **new}.items())]
    changed: dict[str, Any] = {**container, "image": wanted.image, "environment": told}
    if wanted.command is not None:
        changed["command"] = list(wanted.command)
    return changed


def is_same(props: Doc, doc: Doc) -> bool:
    """Whether a revision is what would be registered."""
    return not differences(TaskDefinition(), props, doc, None)


def besides(image: str, doc: Doc, other: Doc) -> list[str]:
    """The paths in which two revisions differ, the image of the container called so left out."""
    found = differences(TaskDefinition(), registered(doc), registered(other), None)
    return [one.path for one in found if one.path != f"containerDefinitions.{image}.image"]


def unopened(service: Doc, doc: Doc) -> list[str]:
    """The ports that the service's balancer asks, and that a revision does not open."""
    containers = doc["containerDefinitions"]
    opens = {
        (one["name"], port["containerPort"]) for one in containers for port in one.get("portMappings", [])
    }
    asked = ((one["containerName"], one["containerPort"]) for one in service.get("loadBalancers", []))
    return [f"{name}:{port}" for name, port in asked if (name, port) not in opens]


def number(arn: str) -> int:
    """The number of a revision, by its ARN."""
    return int(arn.rpartition(":")[2])
