"""Checks of the services: whether all tasks run, why tasks stopped, their deployments, images and logs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from provisioner.doctor.check import Finding, JsonObject, NotChecked, ReadResult, Recovered
from provisioner.doctor.reads.scaling import BY_SCALE, BY_SETTINGS, MinimumTasks
from provisioner.doctor.reads.tasks import StoppedTasks, is_steady
from provisioner.errors import amount
from provisioner.preflight.image_pulls import ACTIVATING, ACTIVE, ARCHIVED, CACHED, RESTORE_MINUTES, PrivateImage
from provisioner.resources.ecs.deployment_diagnosis import Diagnosis
from provisioner.resources.ecs.service_deployments import FAILED_STATUSES, ROLLED_BACK
from provisioner.settings.ineffective import minimum_setting

_NO_HOOKS: Mapping[str, JsonObject] = MappingProxyType({})
# If this many tasks stop by themselves within an hour, they are in a loop, even if all run at this moment.
_STOPS_OF_A_LOOP = 3
# Phrases of events of ECS (ECS developer guide, service event messages).
_NO_ROOM, _STEADY = ("was unable to place a task", "is unable to consistently start tasks"), "steady state"
# The service code and quota code in Service Quotas, by a word of the event that says that the quota is used up.
_QUOTAS = {"vCPU": ("fargate", "L-3032A538"), "RESOURCE:ENI": ("vpc", "L-DF5E4CA3")}


def service_is_active(result: ReadResult, minimum: MinimumTasks) -> Finding | None:
    """Check that the main service exists and is to run tasks."""
    service = result.actual
    consequence = "No task answers requests."
    if service is None:
        return result.missing_finding("service-absent", consequence)
    if service["status"] != "ACTIVE":
        return Finding("service-not-active", f"The {result.description} is {service['status']}.", consequence, "apply")
    if not service["desiredCount"]:
        return _no_tasks_finding(result, service, minimum, consequence)
    return None


def _no_tasks_finding(result: ReadResult, service: JsonObject, minimum: MinimumTasks, consequence: str) -> Finding:
    """Return the finding for a service whose desired count is 0, with the command that raises it.

    The command depends on who set the minimum of its autoscaling; see `MinimumTasks`.
    """
    problem = f"The {result.description} has a desired count of 0"
    if minimum.count:
        options = f"--cluster {service['clusterArn'].rpartition('/')[2]} --service {service['serviceName']}"
        command = f"aws ecs update-service {options} --desired-count {minimum.count}"
        problem += f", though its autoscaling wants at least {minimum.count}"
    elif minimum.set_by == BY_SCALE:
        command, problem = "scale --min 1", f"{problem}, as `scale` allows"
    elif minimum.set_by == BY_SETTINGS:
        command, problem = f"apply --set {minimum_setting('')}=1", f"{problem}, as its settings allow"
    else:
        command = "apply"
    return Finding("service-wants-none", f"{problem}.", consequence, command)


def tasks_are_placed(services: list[JsonObject]) -> Finding | None:
    """Check that ECS finds room for every task, by its last event about that, as events are not repeated."""
    for service in services:
        message = _last_placement_failure(service)
        if message:
            consequence = "Fewer tasks run than desired; a deployment does not end."
            return Finding("task-without-room", message, consequence, _room_command(message))
    return None


def _last_placement_failure(service: JsonObject) -> str:
    """Return the newest event that says that ECS found no room; "" if the service was steady after it."""
    events = sorted(service.get("events", []), key=lambda event: event["createdAt"], reverse=True)
    for event in events:
        message = str(event["message"])
        if _STEADY in message:
            return ""
        if any(phrase in message for phrase in _NO_ROOM):
            return message
    return ""


def _room_command(message: str) -> str:
    """Return the command that helps to find room: a quota, a move from Spot to Fargate, or more checks."""
    for word, (service, code) in _QUOTAS.items():
        if word in message:
            return f"aws service-quotas get-service-quota --service-code {service} --quota-code {code}"
    if "apacity" in message:
        return "apply --set service.fargate_weight=100 --set service.spot_weight=0"
    return "doctor --all"  # shows the tasks that stopped, with log lines if they wrote any


def deployments_completed(
    services: list[JsonObject],
    outcomes: dict[str, tuple[str, str]],
    waiting_hooks: Mapping[str, JsonObject] = _NO_HOOKS,
) -> Finding | None:
    """Check that the last deployment of each service succeeded.

    Args:
        services: The services of the cluster.
        outcomes: By service, the status of its newest deployment and ECS's reason.
        waiting_hooks: By service, the lifecycle hook at which its deployment waits for a person.

    Raises:
        Recovered: A deployment was rolled back, and the service runs as before.

    """
    rolled_back = []
    for service in services:
        name = service["serviceName"]
        status, reason = outcomes[name]
        for deployment in service["deployments"]:
            if deployment.get("rolloutState") == "FAILED":
                status, reason = "FAILED", str(deployment.get("rolloutStateReason", ""))
        if status == ROLLED_BACK and is_steady(service):
            rolled_back.append(f"{name} is as before its last deployment, which was rolled back: `releases` tells")
            continue
        if status in (*FAILED_STATUSES, "FAILED"):
            problem = f"The last deployment of {name} did not complete: {status}{f', {reason}' if reason else ''}"
            return Finding("deployment-failed", problem, "What runs is what was there before, if anything.", "releases")
    if in_progress := [service for service in services if not _is_deployed(service)]:
        return _in_progress_finding(in_progress[0], waiting_hooks.get(in_progress[0]["serviceName"], {}))
    if rolled_back:
        raise Recovered("; ".join(rolled_back))
    return None


def _is_deployed(service: JsonObject) -> bool:
    """Return whether no deployment of a service is in progress."""
    return all(deployment.get("rolloutState", "COMPLETED") != "IN_PROGRESS" for deployment in service["deployments"])


def _in_progress_finding(service: JsonObject, hook: JsonObject) -> Finding:
    """Return the finding for a deployment in progress.

    If it waits for a person, it has the command to go on; else `status` shows its progress.
    """
    name = service["serviceName"]
    counts = f"{service['runningCount']} of {service['desiredCount']} tasks run"
    if waiting_for := str(hook.get("Waits", "")):
        problem = f"The last deployment of {name} has not completed ({counts}): {waiting_for}."
        consequence = "ECS does nothing more until then, and the tasks of both revisions run and cost."
        return Finding("deployment-waits", problem, consequence, waiting_for.split("`")[1])
    unknown = f"; {hook['Unheard']}" if "Unheard" in hook else ""
    problem = f"The last deployment of {name} is under way ({counts}){unknown}."
    return Finding("deployment-under-way", problem, "Until it ends, ECS may roll it back.", "status")


def tasks_stay_running(stops: list[StoppedTasks]) -> Finding | None:
    """Check that tasks do not stop by themselves: not in a loop, and not so that too few run.

    Raises:
        Recovered: Tasks stopped by themselves within the last hour, but no longer do.

    """
    for stopped in stops:
        service, diagnosis = stopped.service, stopped.diagnosis
        running, desired = service["runningCount"], service["desiredCount"]
        if not diagnosis or (stopped.count < _STOPS_OF_A_LOOP and running >= desired):
            continue
        problem = (
            f"{amount(stopped.count, 'task')} of {service['serviceName']} stopped unexpectedly in the last hour, and "
            f"{running} of {desired} run. {diagnosis.description}"
        )
        command = _diagnosis_command(diagnosis, service)
        return Finding("tasks-stop", problem, diagnosis.remedy, command, diagnosis.evidence)
    if recovered := [stopped for stopped in stops if stopped.recovered]:
        counts = (f"{stopped.recovered} of {stopped.service['serviceName']}" for stopped in recovered)
        raise Recovered(f"{', '.join(counts)} did within the hour; that is over")
    return None


def _diagnosis_command(diagnosis: Diagnosis, service: JsonObject) -> str:
    """Return the command that shows more of a stopped task: `logs` if its containers wrote any lines."""
    if diagnosis.evidence:
        return "logs --since 1h"
    if not diagnosis.task_id:
        return "status"
    return f"aws ecs describe-tasks --cluster {service['clusterArn'].rpartition('/')[2]} --tasks {diagnosis.task_id}"


def task_count_is_met(services: list[JsonObject]) -> Finding | None:
    """Check that as many tasks run as are desired."""
    for service in services:
        if service["runningCount"] < service["desiredCount"]:
            problem = f"{service['runningCount']} of {service['desiredCount']} tasks of {service['serviceName']} run"
            problem += f", {service['pendingCount']} are starting."
            return Finding("tasks-missing", problem, "The others take all requests, or nobody does.", "status")
    return None


def images_are_pullable(images: list[PrivateImage]) -> Finding | None:
    """Check that each image in a private ECR registry can be pulled.

    A lifecycle rule may have deleted or archived it.

    Raises:
        NotChecked: ECR does not tell whether an image can be pulled.
        Recovered: An image is not in ECR yet, and is fetched at the first pull.

    """
    for image in images:
        if image.blocks:
            return _unpullable_finding(image)
    if unknown := [image for image in images if image.status not in (ACTIVE, CACHED)]:
        raise NotChecked("; ".join(image.clause for image in unknown))
    if not_cached := [image for image in images if image.status == CACHED]:
        raise Recovered("; ".join(image.clause for image in not_cached))
    return None


def _unpullable_finding(image: PrivateImage) -> Finding:
    """Return the finding for an image that no task can pull."""
    problem, consequence = f"{image.problem}.", "No new task starts."
    if image.status == ARCHIVED:
        consequence += f" To restore it takes up to {RESTORE_MINUTES} minutes; to push it again restores it at once."
        return Finding("image-archived", problem, consequence, image.command)
    if image.status == ACTIVATING:
        consequence += f" Wait: that takes up to {RESTORE_MINUTES} minutes; it is ACTIVE then."
        return Finding("image-activating", problem, consequence, image.command)
    consequence += " Push it again, or `deploy` one that is there."
    return Finding("image-absent", problem, consequence, image.command, is_absent=True)


def log_groups_exist(definitions: list[JsonObject], groups: set[str]) -> Finding | None:
    """Check that the log group of each container exists: without it a task does not start."""
    for definition in definitions:
        for container in definition["containerDefinitions"]:
            options = (container.get("logConfiguration") or {}).get("options") or {}
            group = options.get("awslogs-group")
            if group and group not in groups and options.get("awslogs-create-group") != "true":
                problem = f"The log group {group} of the container {container['name']} does not exist."
                consequence = "No new task starts: ECS ends it before its image runs."
                return Finding("log-group-absent", problem, consequence, "apply")
    return None
