"""What the container engine knows: tasks, deployments and services."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from provisioner.embedded.clock import clock
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Place

if TYPE_CHECKING:
    from provisioner.embedded.containers.strategies import Journey

Spec = dict[str, Any]


@dataclass
class Task:
    """One task: `wanted` is what the engine wants of it, `status` how far it is."""

    place: Place
    cluster: str
    definition: Spec
    spec: Spec  # of the service or of RunTask: networkConfiguration, loadBalancers, overrides, tags
    group: str
    started_by: str
    provider: str = ""
    id: str = field(default_factory=lambda: uuid4().hex)
    status: str = "PROVISIONING"
    wanted: str = "RUNNING"
    created: float = field(default_factory=clock.now)
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    stop_code: str = ""
    stop_reason: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    healthy: bool = False
    subnet: str = ""
    interface: str = ""
    address: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)  # of its service or its definition

    @property
    def arn(self) -> str:
        """The task's ARN."""
        name = self.cluster.rpartition("/")[2]
        return f"arn:aws:ecs:{self.place.region}:{self.place.account}:task/{name}/{self.id}"


@dataclass
class Deployment:
    """One revision of a service on its way: the PRIMARY one, or an older one whose tasks still run."""

    service: str  # ARN
    spec: Spec
    desired: int
    id: str = field(default_factory=lambda: f"ecs-svc/{uuid4().int % 10**19:019d}")
    status: str = "PRIMARY"
    rollout: str = "IN_PROGRESS"
    reason: str = ""
    failed: int = 0
    created: float = field(default_factory=clock.now)
    updated: float = field(default_factory=clock.now)
    # Where its tasks serve, by the configured group: ECS's own strategies use another in turn.
    groups: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reason = self.reason or f"ECS deployment {self.id} in progress."

    @property
    def revision(self) -> str:
        """The ARN of the service revision it deploys."""
        return f"{self.service.replace(':service/', ':service-revision/')}/{self.id[8:]}"

    @property
    def resolved(self) -> Spec:
        """What its tasks are started with: in the groups that it serves in."""
        if not self.groups:
            return self.spec
        told = self.spec.get("loadBalancers", [])
        mine = [one | {"targetGroupArn": self.groups.get(one["targetGroupArn"])} for one in told]
        return self.spec | {"loadBalancers": mine}


@dataclass
class Rollout:
    """A service deployment as ECS reports it: the truth about whether a change arrived."""

    deployment: Deployment
    source: str | None
    status: str = "IN_PROGRESS"
    reason: str = ""
    created: float = field(default_factory=clock.now)
    finished: float | None = None
    rollback_to: str | None = None
    # Where ECS leads the requests over by itself: how far it is.
    journey: Journey | None = None
    id: str = field(default_factory=lambda: uuid4().hex[:24])

    @property
    def arn(self) -> str:
        """The service deployment's ARN."""
        return f"{self.deployment.service.replace(':service/', ':service-deployment/')}/{self.id}"


@dataclass
class Service:
    """A service: what was asked for, and what there is of it."""

    place: Place
    cluster: str
    name: str
    spec: Spec
    token: str
    desired: int
    status: str = "ACTIVE"
    created: float = field(default_factory=clock.now)
    deployments: list[Deployment] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    events: list[tuple[float, str, str]] = field(default_factory=list)
    last_good: Spec | None = None
    # It will look soon which of its tasks are missing.
    retries: bool = False

    @property
    def arn(self) -> str:
        """The service's ARN."""
        cluster = self.cluster.rpartition("/")[2]
        return f"arn:aws:ecs:{self.place.region}:{self.place.account}:service/{cluster}/{self.name}"

    @property
    def primary(self) -> Deployment:
        """The deployment that is wanted."""
        return next(d for d in self.deployments if d.status == "PRIMARY")

    @property
    def live(self) -> list[Task]:
        """The tasks that have not stopped."""
        return [task for task in self.tasks if task.status != "STOPPED"]

    @property
    def breaker(self) -> dict[str, bool]:
        """The circuit breaker's settings."""
        found: dict[str, bool] = self.spec["deploymentConfiguration"]["deploymentCircuitBreaker"]
        return found

    @property
    def threshold(self) -> int:
        """The failures that trip it: AWS doc, API_DeploymentCircuitBreaker: half the tasks, 3 to 200."""
        return min(200, max(3, math.ceil(self.desired / 2)))

    def say(self, what: str) -> None:
        """Note an event."""
        self.events.insert(0, (clock.now(), str(uuid4()), f"(service {self.name}) {what}"))
        del self.events[100:]


when_attached: list[Callable[[Task], None]] = []  # told of a task that has its interface
when_running: list[Callable[[Task], None]] = []  # told of a task whose containers run
services: Shelf[Service] = Shelf()  # by ARN
lone_tasks: Shelf[Task] = Shelf()  # by ARN: those that no service keeps


def all_tasks(place: Place) -> list[Task]:
    """Every task there is or was lately."""
    kept = [task for service in services.of(place).values() for task in service.tasks]
    return [*kept, *lone_tasks.of(place).values()]
