"""The ECS cluster, and a task definition and a service for each workload, on Fargate and Fargate Spot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.resource_graph.graph import NO_EXTRA_TAGS, Edge, ResourceHandle, Step
from provisioner.engine.resource_graph.references import interpolate
from provisioner.engine.resource_graph.sensitive import SensitiveValue
from provisioner.resources.ecs.cluster import Cluster
from provisioner.resources.ecs.service import Service
from provisioner.resources.ecs.task_definitions import TaskDefinition
from provisioner.settings import Settings, Workload
from provisioner.settings.overrides import ServiceOverrides
from provisioner.steps.account import Account
from provisioner.steps.alb import Balancer
from provisioner.steps.aurora import Database
from provisioner.steps.hardening import hardened_containers
from provisioner.steps.iam import Roles
from provisioner.steps.logs import Logs
from provisioner.steps.placeholder import command
from provisioner.steps.security import Security
from provisioner.steps.vpc import Network

CONTAINER = "api"


@dataclass(frozen=True)
class Compute:
    """The cluster and the services by name; the name of the main service is ""."""

    cluster: ResourceHandle
    services: dict[str, ResourceHandle]

    @property
    def service(self) -> ResourceHandle:
        """The main service."""
        return self.services[""]


@dataclass(frozen=True)
class TaskInputs:
    """The results of earlier steps that tasks depend on, and by service what `deploy` and `scale` chose."""

    network: Network
    endpoints: list[ResourceHandle]
    security: Security
    logs: Logs
    database: Database
    table: ResourceHandle
    roles: Roles
    balancer: Balancer
    account: Account
    shipped: Mapping[str, ServiceOverrides] = field(default_factory=dict)


def compute(step: Step, settings: Settings, inputs: TaskInputs) -> Compute:
    """Declare the cluster and the services.

    No service has a launch type, which would switch the capacity provider strategy off.
    """
    cluster = step(
        Cluster,
        "cluster",
        settings=[{"name": "containerInsights", "value": "enabled"}],
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=_strategy(settings),
        depends_on=[inputs.account.ecs, inputs.logs.insights],
        **_shells(inputs.logs),
    )
    return Compute(cluster, {one.name: _service(step, settings, one, inputs, cluster) for one in settings.workloads})


def _shells(logs: Logs) -> dict[str, Any]:
    """Return the configuration that logs ECS Exec sessions to a log group of their own."""
    if logs.shells is None:
        return {}
    to = {"cloudWatchLogGroupName": logs.shells.id}
    return {"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE", "logConfiguration": to}}}


def _strategy(settings: Settings) -> list[dict[str, Any]]:
    return [
        {"capacityProvider": "FARGATE_SPOT", "weight": settings.service.spot_weight, "base": 0},
        {
            "capacityProvider": "FARGATE",
            "weight": settings.service.fargate_weight,
            "base": settings.service.fargate_base,
        },
    ]


def _service(
    step: Step, settings: Settings, one: Workload, inputs: TaskInputs, cluster: ResourceHandle
) -> ResourceHandle:
    task = _task(step, settings, one, inputs)
    return step(
        Service,
        one.named("service"),
        **one.told_apart("service"),
        extra_tags=inputs.shipped[one.name].tags if one.name in inputs.shipped else NO_EXTRA_TAGS,
        cluster=cluster.id,
        taskDefinition=task.id,
        desiredCount=one.service.minimum,
        capacityProviderStrategy=_strategy(settings),
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": [subnet.id for subnet in inputs.network.private],
                "securityGroups": [inputs.security.tasks[one.name].group.id],
                "assignPublicIp": "DISABLED",
            }
        },
        loadBalancers=[
            {
                "targetGroupArn": inputs.balancer.fronts[one.name].target_group.id,
                "containerName": CONTAINER,
                "containerPort": one.container.port,
            }
        ],
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        },
        healthCheckGracePeriodSeconds=one.service.grace,
        enableECSManagedTags=True,
        enableExecuteCommand=one.service.exec,
        propagateTags="SERVICE",
        depends_on=_before_tasks_start(one, inputs),
    )


def _before_tasks_start(one: Workload, inputs: TaskInputs) -> list[Edge | ResourceHandle]:
    """Return what must be ready before a service starts tasks: three failed starts fail the deployment."""
    waits: list[Edge | ResourceHandle] = [
        *(nat.ready("a task pulls its image through it") for nat in inputs.network.nat_gateways),
        *inputs.network.egress_resources,
        *(way.ready("a task pulls its image through it") for way in inputs.endpoints),
        *(rule.ready("ECS refuses a group without a listener") for rule in inputs.balancer.fronts[one.name].rules),
        *(policy.ready("a task starts with these rights") for policy in inputs.roles.policies),
        *inputs.security.ingress_rules,
        *inputs.security.tasks[one.name].rules,
        inputs.logs.tasks,
        inputs.database.cluster.ready("the secret has no value before"),
    ]
    if one.waits_for_database:
        waits.append(inputs.database.writer.ready("the image connects when it starts"))
    return waits


def _task(step: Step, settings: Settings, one: Workload, inputs: TaskInputs) -> ResourceHandle:
    # The containers come from `hardened`, which may add one that prepares the volumes.
    container = _container(settings, one, inputs, step.stack.region)
    return step(
        TaskDefinition,
        one.named("task"),
        **one.told_apart("taskdef"),
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu=str(one.container.cpu),
        memory=str(one.container.memory),
        runtimePlatform={"cpuArchitecture": one.container.architecture, "operatingSystemFamily": "LINUX"},
        executionRoleArn=inputs.roles.execution["Arn"],
        taskRoleArn=inputs.roles.task["Arn"],
        **hardened_containers(container, one.container, shell=one.service.exec),
    )


def _container(settings: Settings, one: Workload, inputs: TaskInputs, region: str) -> dict[str, Any]:
    container = {
        "name": CONTAINER,
        "image": one.image,
        "essential": True,
        "portMappings": [{"containerPort": one.container.port, "protocol": "tcp"}],
        "environment": _pairs(_environment(settings, one, inputs), "value"),
        "secrets": _pairs(_secrets(one, inputs), "valueFrom"),
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": inputs.logs.tasks.id,
                "awslogs-region": region,
                "awslogs-stream-prefix": one.name or CONTAINER,
            },
        },
    }
    return {**container, "command": command(one)} if one.is_placeholder else container


def _environment(settings: Settings, one: Workload, inputs: TaskInputs) -> dict[str, Any]:
    """Return the variables of a container: those of the settings, those of `deploy`, and the stack's own.

    The stack's own win over the others.
    """
    cluster = inputs.database.cluster
    given = {**one.container.environment, **inputs.shipped.get(one.name, ServiceOverrides()).environment}
    return {
        **{name: SensitiveValue(name, value) for name, value in given.items()},
        "SESSIONS_TABLE": inputs.table.id,
        "DB_HOST": cluster["Endpoint"],
        "DB_PORT": "5432",
        "DB_NAME": settings.database.name,
        "DB_SECRET_ARN": inputs.database.secret,
        **({"DB_READER_HOST": cluster["ReaderEndpoint"]} if inputs.database.readers else {}),
        **({"DB_IAM_USER": settings.database.iam_user} if settings.database.iam_login else {}),
    }


def _secrets(one: Workload, inputs: TaskInputs) -> dict[str, Any]:
    """Return the secrets of a container by reference: those of the settings, and the database login."""
    return {
        **one.container.secrets,
        "DB_USERNAME": interpolate("{}:username::", inputs.database.secret),
        "DB_PASSWORD": interpolate("{}:password::", inputs.database.secret),
    }


def _pairs(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [{"name": name, key: value} for name, value in sorted(values.items())]
