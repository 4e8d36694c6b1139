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
from provisioner.steps.account import ServiceRoles
from provisioner.steps.alb import Balancer
from provisioner.steps.aurora import Database
from provisioner.steps.hardening import hardened_containers
from provisioner.steps.iam import Roles
from provisioner.steps.logs import LogGroups
from provisioner.steps.placeholder import nginx_command
from provisioner.steps.security import SecurityGroups
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
    security: SecurityGroups
    logs: LogGroups
    database: Database
    table: ResourceHandle
    roles: Roles
    balancer: Balancer
    service_roles: ServiceRoles
    overrides: Mapping[str, ServiceOverrides] = field(default_factory=dict)


def declare_services(step: Step, settings: Settings, inputs: TaskInputs) -> Compute:
    """Declare the cluster and the services.

    No service has a launch type, which would switch the capacity provider strategy off.
    """
    cluster = step(
        Cluster,
        "cluster",
        settings=[{"name": "containerInsights", "value": "enabled"}],
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=_capacity_providers(settings),
        depends_on=[inputs.service_roles.ecs, inputs.logs.insights],
        **_exec_logging(inputs.logs),
    )
    services = {each.name: _declare_service(step, settings, each, inputs, cluster) for each in settings.workloads}
    return Compute(cluster, services)


def _exec_logging(logs: LogGroups) -> dict[str, Any]:
    """Return the configuration that logs ECS Exec sessions to a log group of their own."""
    if logs.exec is None:
        return {}
    log_configuration = {"cloudWatchLogGroupName": logs.exec.id}
    return {
        "configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE", "logConfiguration": log_configuration}}
    }


def _capacity_providers(settings: Settings) -> list[dict[str, Any]]:
    """Return the shares of Fargate Spot and Fargate."""
    return [
        {"capacityProvider": "FARGATE_SPOT", "weight": settings.service.spot_weight, "base": 0},
        {
            "capacityProvider": "FARGATE",
            "weight": settings.service.fargate_weight,
            "base": settings.service.fargate_base,
        },
    ]


def _declare_service(
    step: Step, settings: Settings, workload: Workload, inputs: TaskInputs, cluster: ResourceHandle
) -> ResourceHandle:
    """Declare the task definition and the ECS service of one service."""
    task = _declare_task_definition(step, settings, workload, inputs)
    return step(
        Service,
        workload.logical_id("service"),
        **workload.name_arguments("service"),
        extra_tags=inputs.overrides[workload.name].tags if workload.name in inputs.overrides else NO_EXTRA_TAGS,
        cluster=cluster.id,
        taskDefinition=task.id,
        desiredCount=workload.service.minimum,
        capacityProviderStrategy=_capacity_providers(settings),
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": [subnet.id for subnet in inputs.network.private],
                "securityGroups": [inputs.security.tasks[workload.name].group.id],
                "assignPublicIp": "DISABLED",
            }
        },
        loadBalancers=[
            {
                "targetGroupArn": inputs.balancer.routing[workload.name].target_group.id,
                "containerName": CONTAINER,
                "containerPort": workload.container.port,
            }
        ],
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        },
        healthCheckGracePeriodSeconds=workload.service.grace,
        enableECSManagedTags=True,
        enableExecuteCommand=workload.service.exec,
        propagateTags="SERVICE",
        depends_on=_task_prerequisites(workload, inputs),
    )


def _task_prerequisites(workload: Workload, inputs: TaskInputs) -> list[Edge | ResourceHandle]:
    """Return what must be ready before a service starts tasks: three failed starts fail the deployment."""
    prerequisites: list[Edge | ResourceHandle] = [
        *(nat.ready("a task pulls its image through it") for nat in inputs.network.nat_gateways),
        *inputs.network.egress_resources,
        *(endpoint.ready("a task pulls its image through it") for endpoint in inputs.endpoints),
        *(
            rule.ready("ECS refuses a group without a listener")
            for rule in inputs.balancer.routing[workload.name].rules
        ),
        *(policy.ready("a task starts with these rights") for policy in inputs.roles.policies),
        *inputs.security.ingress_rules,
        *inputs.security.tasks[workload.name].rules,
        inputs.logs.tasks,
        inputs.database.cluster.ready("the secret has no value before"),
    ]
    if workload.waits_for_database:
        prerequisites.append(inputs.database.writer.ready("the image connects when it starts"))
    return prerequisites


def _declare_task_definition(step: Step, settings: Settings, workload: Workload, inputs: TaskInputs) -> ResourceHandle:
    """Declare the task definition of one service."""
    # The containers come from `hardened_containers`, which may add one that prepares the volumes.
    container = _container(settings, workload, inputs, step.stack.region)
    return step(
        TaskDefinition,
        workload.logical_id("task"),
        **workload.name_arguments("taskdef"),
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu=str(workload.container.cpu),
        memory=str(workload.container.memory),
        runtimePlatform={"cpuArchitecture": workload.container.architecture, "operatingSystemFamily": "LINUX"},
        executionRoleArn=inputs.roles.execution["Arn"],
        taskRoleArn=inputs.roles.task["Arn"],
        **hardened_containers(container, workload.container, shell=workload.service.exec),
    )


def _container(settings: Settings, workload: Workload, inputs: TaskInputs, region: str) -> dict[str, Any]:
    """Return the definition of the service's container; the placeholder image gets a command."""
    container = {
        "name": CONTAINER,
        "image": workload.image,
        "essential": True,
        "portMappings": [{"containerPort": workload.container.port, "protocol": "tcp"}],
        "environment": _named_values(_environment(settings, workload, inputs), "value"),
        "secrets": _named_values(_secrets(workload, inputs), "valueFrom"),
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": inputs.logs.tasks.id,
                "awslogs-region": region,
                "awslogs-stream-prefix": workload.name or CONTAINER,
            },
        },
    }
    return {**container, "command": nginx_command(workload)} if workload.is_placeholder else container


def _environment(settings: Settings, workload: Workload, inputs: TaskInputs) -> dict[str, Any]:
    """Return the variables of a container: those of the settings, those of `deploy`, and the stack's own.

    The stack's own win over the others.
    """
    cluster = inputs.database.cluster
    variables = {
        **workload.container.environment,
        **inputs.overrides.get(workload.name, ServiceOverrides()).environment,
    }
    return {
        **{name: SensitiveValue(name, value) for name, value in variables.items()},
        "SESSIONS_TABLE": inputs.table.id,
        "DB_HOST": cluster["Endpoint"],
        "DB_PORT": "5432",
        "DB_NAME": settings.database.name,
        "DB_SECRET_ARN": inputs.database.secret,
        **({"DB_READER_HOST": cluster["ReaderEndpoint"]} if inputs.database.readers else {}),
        **({"DB_IAM_USER": settings.database.iam_user} if settings.database.iam_login else {}),
    }


def _secrets(workload: Workload, inputs: TaskInputs) -> dict[str, Any]:
    """Return the secrets of a container by reference: those of the settings, and the database login."""
    return {
        **workload.container.secrets,
        "DB_USERNAME": interpolate("{}:username::", inputs.database.secret),
        "DB_PASSWORD": interpolate("{}:password::", inputs.database.secret),
    }


def _named_values(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a mapping as the list of objects that ECS takes, sorted by name."""
    return [{"name": name, key: value} for name, value in sorted(values.items())]
