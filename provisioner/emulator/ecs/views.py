"""Tasks, services, deployments and revisions in the format of the ECS API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from provisioner.emulator.ecs.model import Deployment, Rollout, Service, Task
from provisioner.emulator.ecs.strategies import Hook, StrategyProgress

# Fields of a service's deployments that the service itself does not have (botocore ServiceModel, Deployment).
OF_DEPLOYMENTS = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _without_none(view: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in view.items() if value is not None}


def _running(tasks: Sequence[Task]) -> int:
    return sum(task.status == "RUNNING" for task in tasks)


def _pending(tasks: Sequence[Task]) -> int:
    return sum(task.status in PENDING for task in tasks)


def task_view(task: Task) -> dict[str, Any]:
    """Return a task as DescribeTasks does."""
    overrides = task.spec.get("overrides", {"containerOverrides": []})
    return _without_none(
        {
            "taskArn": task.arn,
            "clusterArn": task.cluster,
            "taskDefinitionArn": task.definition["taskDefinitionArn"],
            "group": task.group,
            "startedBy": task.started_by or None,
            "lastStatus": task.status,
            "desiredStatus": task.desired_status,
            "capacityProviderName": task.provider or None,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "cpu": overrides.get("cpu", task.definition.get("cpu")),
            "memory": overrides.get("memory", task.definition.get("memory")),
            "createdAt": _time(task.created),
            "startedAt": _time(task.started),
            "stoppingAt": _time(task.stopping),
            "stoppedAt": _time(task.stopped),
            "stopCode": task.stop_code or None,
            "stoppedReason": task.stop_reason or None,
            "healthStatus": "HEALTHY" if task.healthy else "UNKNOWN",
            "connectivity": "CONNECTED" if task.started else None,
            "enableExecuteCommand": is_open(task),
            "overrides": overrides,
            "attachments": _attachments(task),
            "containers": [_container(task, c) for c in task.definition["containerDefinitions"]],
            "version": 1,
        }
    )


def _attachments(task: Task) -> list[dict[str, Any]]:
    """Return a task's network interface as its attachment."""
    if not task.interface:
        return []
    details = {"subnetId": task.subnet, "networkInterfaceId": task.interface}
    details["privateIPv4Address"] = task.address
    status = "DELETED" if task.status == "STOPPED" else "ATTACHED"
    named_details = [{"name": name, "value": value} for name, value in details.items()]
    return [{"id": task.id, "type": "ElasticNetworkInterface", "status": status, "details": named_details}]


def _container(task: Task, definition: dict[str, Any]) -> dict[str, Any]:
    """Return a container of a task."""
    return _without_none(
        {
            "containerArn": task.arn.replace(":task/", ":container/") + f"/{definition['name']}",
            "taskArn": task.arn,
            "name": definition["name"],
            "image": definition["image"],
            "lastStatus": task.status if task.status in ("RUNNING", "STOPPED") else "PENDING",
            "exitCode": task.exit_code,
            "reason": task.container_reason or None,
            "healthStatus": "HEALTHY" if task.healthy else "UNKNOWN",
            "runtimeId": runtime_of(task) if task.started else None,
            "managedAgents": [_agent(task)] if is_open(task) else None,
            "networkInterfaces": [{"attachmentId": task.id, "privateIpv4Address": task.address}],
        }
    )


def is_open(task: Task) -> bool:
    """Return whether a task was started with ECS Exec enabled."""
    return bool(task.spec.get("enableExecuteCommand"))


def runtime_of(task: Task) -> str:
    """Return the runtime id of a task's container as on Fargate: the task id and ten digits."""
    return f"{task.id}-{int(task.id, 16) % 10**10:010d}"


def _agent(task: Task) -> dict[str, Any]:
    """Return the agent of ECS Exec (botocore ServiceModel, ManagedAgent)."""
    status = task.status if task.status in ("RUNNING", "STOPPED") else "PENDING"
    return _without_none({"name": "ExecuteCommandAgent", "lastStatus": status, "lastStartedAt": _time(task.started)})


def deployment_view(service: Service, deployment: Deployment) -> dict[str, Any]:
    """Return a deployment as DescribeServices does."""
    tasks = [task for task in service.live if task.started_by == deployment.id]
    strategy = deployment.spec.get("capacityProviderStrategy")
    return _without_none(
        {
            "id": deployment.id,
            "status": deployment.status,
            "taskDefinition": deployment.spec["taskDefinition"],
            "desiredCount": deployment.desired if deployment.status == "PRIMARY" else 0,
            "runningCount": _running(tasks),
            "pendingCount": _pending(tasks),
            "failedTasks": deployment.failed,
            "createdAt": _time(deployment.created),
            "updatedAt": _time(deployment.updated),
            "capacityProviderStrategy": strategy,
            "launchType": None if strategy else deployment.spec.get("launchType"),
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "networkConfiguration": deployment.spec.get("networkConfiguration"),
            "rolloutState": deployment.rollout,
            "rolloutStateReason": deployment.reason,
            **{key: deployment.spec[key] for key in OF_DEPLOYMENTS if key in deployment.spec},
        }
    )


def service_view(service: Service) -> dict[str, Any]:
    """Return a service as DescribeServices does."""
    live = service.live
    strategy = service.spec.get("capacityProviderStrategy")
    current = service.rollouts[0] if service.rollouts else None
    view = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster,
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": _running(live),
        "pendingCount": _pending(live),
        "capacityProviderStrategy": strategy,
        "launchType": None if strategy else service.spec.get("launchType"),
        "platformFamily": "Linux",
        "deployments": [deployment_view(service, d) for d in service.deployments],
        "events": [{"id": i, "createdAt": _time(at), "message": text} for at, i, text in service.events],
        "createdAt": _time(service.created),
        "currentServiceDeployment": current and current.arn,
        "currentServiceRevisions": [_revision(service, d) for d in service.deployments],
    }
    echoed = (key for key in service.spec if key not in (*view, *OF_DEPLOYMENTS, "tags"))
    return _without_none(view | {key: service.spec[key] for key in echoed})


def _revision(service: Service, deployment: Deployment) -> dict[str, Any]:
    """Return a summary of a service revision, with the counts of its tasks."""
    tasks = [task for task in service.live if task.started_by == deployment.id]
    return {
        "arn": deployment.revision,
        "requestedTaskCount": deployment.desired,
        "runningTaskCount": _running(tasks),
        "pendingTaskCount": _pending(tasks),
    }


def rollout_brief(service: Service, rollout: Rollout) -> dict[str, Any]:
    """Return a service deployment as ListServiceDeployments does."""
    return _without_none(
        {
            "serviceDeploymentArn": rollout.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster,
            "createdAt": _time(rollout.created),
            "startedAt": _time(rollout.created),
            "finishedAt": _time(rollout.finished),
            "targetServiceRevisionArn": rollout.deployment.revision,
            "status": rollout.status,
            "statusReason": rollout.reason or None,
        }
    )


def rollout_view(service: Service, rollout: Rollout) -> dict[str, Any]:
    """Return a service deployment as DescribeServiceDeployments does."""
    view = rollout_brief(service, rollout)
    view.pop("targetServiceRevisionArn")
    progress = rollout.progress
    rollback_to = rollout.rollback_to
    tripped = rollout.deployment.rollout == "FAILED" and "circuit breaker" in rollout.deployment.reason
    armed = "MONITORING" if rollout.finished is None else "MONITORING_COMPLETE"
    status = ("TRIGGERED" if tripped else armed) if service.breaker.get("enable") else "DISABLED"
    return _without_none(
        view
        | {
            "updatedAt": _time(rollout.deployment.updated),
            "stoppedAt": _time(rollout.finished) if rollout.status == "STOPPED" else None,
            "sourceServiceRevisions": [{"arn": rollout.source}] if rollout.source else [],
            "targetServiceRevision": _revision(service, rollout.deployment) | _traffic_share(progress),
            "lifecycleStage": progress.stage if progress else None,
            "lifecycleHookDetails": [_hook(hook) for hook in progress.hooks] if progress else None,
            "deploymentConfiguration": service.spec["deploymentConfiguration"],
            "deploymentCircuitBreaker": {
                "status": status,
                "failureCount": rollout.deployment.failed,
                "threshold": service.threshold,
            },
            "rollback": {"reason": rollout.reason, "serviceRevisionArn": rollback_to} if rollback_to else None,
        }
    )


def _traffic_share(progress: StrategyProgress | None) -> dict[str, float]:
    """Return the share of production traffic, for deployments in which ECS shifts it."""
    return {"requestedProductionTrafficWeight": progress.weight} if progress else {}


def _hook(hook: Hook) -> dict[str, Any]:
    """Return a lifecycle hook at which a deployment paused."""
    return {
        "hookId": hook.id,
        "targetType": "PAUSE",
        "status": hook.status,
        "expiresAt": _time(hook.expires),
        "timeoutAction": hook.action,
    }


def revision_view(service: Service, deployment: Deployment) -> dict[str, Any]:
    """Return a service revision as DescribeServiceRevisions does."""
    spec = {key: value for key, value in deployment.spec.items() if key != "launchType"}
    used = [{"targetGroupArn": arn} for arn in deployment.groups.values()]
    resolved = {"resolvedConfiguration": {"loadBalancers": used}} if used else {}
    return (
        spec
        | resolved
        | {
            "serviceRevisionArn": deployment.revision,
            "serviceArn": service.arn,
            "clusterArn": service.cluster,
            "createdAt": _time(deployment.created),
        }
    )
