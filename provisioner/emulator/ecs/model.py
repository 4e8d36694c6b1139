"""The objects of the ECS emulator: tasks, deployments, rollouts and services."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.wire import AccountRegion

if TYPE_CHECKING:
    from provisioner.emulator.ecs.strategies import StrategyProgress

Spec = dict[str, Any]


@dataclass
class Task:
    """One task: `desired_status` is its desired status, `status` its last status.

    `spec` has parameters of its service or of RunTask: networkConfiguration, loadBalancers, overrides, tags.
    """

    place: AccountRegion
    cluster: str
    definition: Spec
    spec: Spec
    group: str
    started_by: str
    provider: str = ""
    id: str = field(default_factory=lambda: uuid4().hex)
    status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
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
    tags: list[dict[str, str]] = field(default_factory=list)  # propagated from its service or task definition

    @property
    def arn(self) -> str:
        """The task's ARN."""
        name = self.cluster.rpartition("/")[2]
        return f"arn:aws:ecs:{self.place.region}:{self.place.account}:task/{name}/{self.id}"


@dataclass
class Deployment:
    """One deployment of a service: the PRIMARY one, or an older one whose tasks still run."""

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
    # By configured target group, the group in which its tasks serve: ECS's own deployment strategies
    # alternate between two groups.
    groups: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reason = self.reason or f"ECS deployment {self.id} in progress."

    @property
    def revision(self) -> str:
        """The ARN of the service revision that it deploys."""
        return f"{self.service.replace(':service/', ':service-revision/')}/{self.id[8:]}"

    @property
    def task_parameters(self) -> Spec:
        """The parameters with which its tasks start, with the target groups in which they serve."""
        if not self.groups:
            return self.spec
        configured = self.spec.get("loadBalancers", [])
        resolved = [
            balancer | {"targetGroupArn": self.groups.get(balancer["targetGroupArn"])} for balancer in configured
        ]
        return self.spec | {"loadBalancers": resolved}


@dataclass
class Rollout:
    """A service deployment of the ECS API: the record that tells whether a change was rolled out."""

    deployment: Deployment
    source: str | None
    status: str = "IN_PROGRESS"
    reason: str = ""
    created: float = field(default_factory=clock.now)
    finished: float | None = None
    rollback_to: str | None = None
    # The progress of a deployment strategy in which ECS shifts the traffic.
    progress: StrategyProgress | None = None
    id: str = field(default_factory=lambda: uuid4().hex[:24])

    @property
    def arn(self) -> str:
        """The service deployment's ARN."""
        return f"{self.deployment.service.replace(':service/', ':service-deployment/')}/{self.id}"


@dataclass
class Service:
    """A service: the parameters that were asked for, and its deployments and tasks."""

    place: AccountRegion
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
    # Whether a retry is scheduled that starts the missing tasks.
    retries: bool = False

    @property
    def arn(self) -> str:
        """The service's ARN."""
        cluster = self.cluster.rpartition("/")[2]
        return f"arn:aws:ecs:{self.place.region}:{self.place.account}:service/{cluster}/{self.name}"

    @property
    def primary(self) -> Deployment:
        """The deployment with status PRIMARY."""
        return next(d for d in self.deployments if d.status == "PRIMARY")

    @property
    def live(self) -> list[Task]:
        """The tasks that have not stopped."""
        return [task for task in self.tasks if task.status != "STOPPED"]

    @property
    def breaker(self) -> dict[str, bool]:
        """The settings of the deployment circuit breaker."""
        settings: dict[str, bool] = self.spec["deploymentConfiguration"]["deploymentCircuitBreaker"]
        return settings

    @property
    def threshold(self) -> int:
        """The number of failed tasks that trips the circuit breaker: half the tasks, from 3 to 200.

        Source: AWS doc, API_DeploymentCircuitBreaker.
        """
        return min(200, max(3, math.ceil(self.desired / 2)))

    def add_event(self, text: str) -> None:
        """Add an event to the service; the newest 100 are kept."""
        self.events.insert(0, (clock.now(), str(uuid4()), f"(service {self.name}) {text}"))
        del self.events[100:]


when_attached: list[Callable[[Task], None]] = []  # called with a task that has its interface
when_running: list[Callable[[Task], None]] = []  # called with a task whose containers run
services: AccountStore[Service] = AccountStore()  # by ARN
lone_tasks: AccountStore[Task] = AccountStore()  # by ARN: the tasks that belong to no service


def all_tasks(place: AccountRegion) -> list[Task]:
    """Return all tasks of an account and region, including stopped ones that are still kept."""
    service_tasks = [task for service in services.of(place).values() for task in service.tasks]
    return [*service_tasks, *lone_tasks.of(place).values()]
