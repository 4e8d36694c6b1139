"""Checks of the services: whether all tasks run, why tasks stopped, their deployments, images and logs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from provisioner.amounts import amount
from provisioner.doctor.finding import Finding, JsonObject, NotChecked, ReadResult, Recovered
from provisioner.doctor.reads.scaling import BY_SCALE, BY_SETTINGS, MinimumTasks
from provisioner.doctor.reads.tasks import StoppedTasks, is_up
from provisioner.preflight.ecr import ACTIVATING, ACTIVE, ARCHIVED, CACHED, RESTORE_MINUTES, Pullable
from provisioner.resources.ecs.deployment_diagnosis import FAILED_STATUSES, Diagnosis
from provisioner.resources.ecs.rollouts import ROLLED_BACK
from provisioner.settings.ineffective import setting_of

_NOBODY: Mapping[str, JsonObject] = MappingProxyType({})
# If this many tasks stop by themselves within an hour, they are in a loop, even if all run at this moment.
_LOOP = 3
# ECS developer guide, service event messages.
_NO_PLACE, _STEADY = ("was unable to place a task", "is unable to consistently start tasks"), "steady state"
_LIMITS = {"vCPU": ("fargate", "L-3032A538"), "RESOURCE:ENI": ("vpc", "L-DF5E4CA3")}


def service_is_active(result: ReadResult, least: MinimumTasks) -> Finding | None:
    """Check that the main service exists and is to run tasks."""
    doc = result.actual
    why = "No task answers anything."
    if doc is None:
        return result.missing_finding("service-absent", why)
    if doc["status"] != "ACTIVE":
        return Finding("service-not-active", f"The {result.description} is {doc['status']}.", why, "apply")
    if not doc["desiredCount"]:
        return _wants_none(result, doc, least, why)
    return None


def _wants_none(result: ReadResult, doc: JsonObject, least: MinimumTasks, why: str) -> Finding:
    """Return the finding for a service whose desired count is 0, with the command that raises it.

    The command depends on who set the minimum of its autoscaling; see `MinimumTasks`.
    """
    what = f"The {result.description} is to run no task at all"
    if least.count:
        where = f"--cluster {doc['clusterArn'].rpartition('/')[2]} --service {doc['serviceName']}"
        more = f"aws ecs update-service {where} --desired-count {least.count}"
        what += f", and at least {least.count} by its scaling"
    elif least.held == BY_SCALE:
        more, what = "scale --min 1", f"{what}, as `scale` allows"
    elif least.held == BY_SETTINGS:
        more, what = f"apply --set {setting_of('')}=1", f"{what}, as its settings allow"
    else:
        more = "apply"
    return Finding("service-wants-none", f"{what}.", why, more)


def tasks_are_placed(services: list[JsonObject]) -> Finding | None:
    """Check that ECS finds room for every task, by its last event about that, as events are not repeated."""
    for service in services:
        said = _last_word(service)
        if said:
            return Finding(
                "task-without-room",
                said,
                "Fewer tasks run than should; a deployment comes to no end.",
                _room(said),
            )
    return None


def _last_word(service: JsonObject) -> str:
    """Return the newest event that says that ECS found no room; "" if the service was steady after it."""
    events = sorted(service.get("events", []), key=lambda one: one["createdAt"], reverse=True)
    for event in events:
        message = str(event["message"])
        if _STEADY in message:
            return ""
        if any(phrase in message for phrase in _NO_PLACE):
            return message
    return ""


def _room(said: str) -> str:
    """Return the command that helps to find room: a quota, a move from Spot to Fargate, or more checks."""
    for word, (service, code) in _LIMITS.items():
        if word in said:
            return f"aws service-quotas get-service-quota --service-code {service} --quota-code {code}"
    if "apacity" in said:
        return "apply --set service.fargate_weight=100 --set service.spot_weight=0"
    return "doctor --all"  # shows the tasks that stopped, with log lines if they wrote any


def deployments_completed(
    services: list[JsonObject], verdicts: dict[str, tuple[str, str]], waits: Mapping[str, JsonObject] = _NOBODY
) -> Finding | None:
    """Check that the last deployment of each service succeeded.

    Args:
        services: The services of the cluster.
        verdicts: By service, the status of its newest deployment and ECS's reason.
        waits: By service, the lifecycle hook at which its deployment waits for a person.

    Raises:
        Over: A deployment was rolled back, and the service runs as before.

    """
    back = []
    for service in services:
        name = service["serviceName"]
        status, reason = verdicts[name]
        for one in service["deployments"]:
            if one.get("rolloutState") == "FAILED":
                status, reason = "FAILED", str(one.get("rolloutStateReason", ""))
        if status == ROLLED_BACK and is_up(service):
            back.append(f"{name} is as before its last deployment, which was rolled back: `releases` tells")
            continue
        if status in (*FAILED_STATUSES, "FAILED"):
            what = f"The last deployment of {name} did not arrive: {status}{f', {reason}' if reason else ''}"
            return Finding("deployment-failed", what, "What runs is what was there before, if anything.", "releases")
    if under_way := next((one for one in services if not _has_arrived(one)), None):
        return _under_way(under_way, waits.get(under_way["serviceName"], {}))
    if back:
        raise Recovered("; ".join(back))
    return None


def _has_arrived(service: JsonObject) -> bool:
    """Return whether no deployment of a service is in progress."""
    return all(one.get("rolloutState", "COMPLETED") != "IN_PROGRESS" for one in service["deployments"])


def _under_way(service: JsonObject, told: JsonObject) -> Finding:
    """Return the finding for a deployment in progress.

    If it waits for a person, it has the command to go on; else `status` shows its progress.
    """
    name = service["serviceName"]
    counts = f"{service['runningCount']} of {service['desiredCount']} tasks run"
    if waits := str(told.get("Waits", "")):
        what = f"The last deployment of {name} has not arrived ({counts}): {waits}."
        why = "ECS does nothing more until then, and the tasks of both revisions run and cost."
        return Finding("deployment-waits", what, why, waits.split("`")[1])
    unheard = f"; {told['Unheard']}" if "Unheard" in told else ""
    what = f"The last deployment of {name} is under way ({counts}){unheard}."
    return Finding("deployment-under-way", what, "Until it ends ECS may go back from it.", "status")


def tasks_stay_running(listed: list[StoppedTasks]) -> Finding | None:
    """Check that tasks do not stop by themselves: not in a loop, and not so that too few run.

    Raises:
        Over: Tasks stopped by themselves within the last hour, but no longer do.

    """
    for one in listed:
        service = one.service
        running, desired = service["runningCount"], service["desiredCount"]
        if not one.last or (one.count < _LOOP and running >= desired):
            continue
        what = (
            f"{amount(one.count, 'task')} of {service['serviceName']} stopped unasked in the last hour, and "
            f"{running} of {desired} run. {one.last.description}"
        )
        return Finding("tasks-stop", what, one.last.remedy, _more_on(one.last, service), one.last.evidence)
    if past := [one for one in listed if one.past]:
        told = (f"{one.past} of {one.service['serviceName']}" for one in past)
        raise Recovered(f"{', '.join(told)} did within the hour; that is over")
    return None


def _more_on(last: Diagnosis, service: JsonObject) -> str:
    """Return the command that shows more of a stopped task: `logs` if its containers wrote any lines."""
    if last.evidence:
        return "logs --since 1h"
    if not last.task_id:
        return "status"
    return f"aws ecs describe-tasks --cluster {service['clusterArn'].rpartition('/')[2]} --tasks {last.task_id}"


def task_count_is_met(services: list[JsonObject]) -> Finding | None:
    """Check that as many tasks run as are desired."""
    for one in services:
        if one["runningCount"] < one["desiredCount"]:
            what = f"{one['runningCount']} of {one['desiredCount']} tasks of {one['serviceName']} run"
            what += f", {one['pendingCount']} are starting."
            return Finding("tasks-missing", what, "The others take all requests, or nobody does.", "status")
    return None


def images_are_pullable(images: list[Pullable]) -> Finding | None:
    """Check that each image in a private ECR registry can be pulled.

    A lifecycle rule may have deleted or archived it.

    Raises:
        Unseen: ECR does not tell whether an image can be pulled.
        Over: An image is not in ECR yet, and is fetched at the first pull.

    """
    for one in images:
        if one.blocks:
            return _unpullable(one)
    if untold := [one for one in images if one.status not in (ACTIVE, CACHED)]:
        raise NotChecked("; ".join(one.clause for one in untold))
    if yet := [one for one in images if one.status == CACHED]:
        raise Recovered("; ".join(one.clause for one in yet))
    return None


def _unpullable(one: Pullable) -> Finding:
    """Return the finding for an image that no task can pull."""
    what, why = f"{one.what}.", "No new task starts."
    if one.status == ARCHIVED:
        why += f" To restore it takes up to {RESTORE_MINUTES} minutes; to push it again restores it at once."
        return Finding("image-archived", what, why, one.command)
    if one.status == ACTIVATING:
        why += f" Wait: that takes up to {RESTORE_MINUTES} minutes; it is ACTIVE then."
        return Finding("image-activating", what, why, one.command)
    why += " Push it again, or `deploy` one that is there."
    return Finding("image-absent", what, why, one.command, is_absent=True)


def log_groups_exist(definitions: list[JsonObject], groups: set[str]) -> Finding | None:
    """Check that the log group of each container exists: without it a task does not start."""
    for definition in definitions:
        for container in definition["containerDefinitions"]:
            options = (container.get("logConfiguration") or {}).get("options") or {}
            group = options.get("awslogs-group")
            if group and group not in groups and options.get("awslogs-create-group") != "true":
                what = f"The log group {group} of the container {container['name']} is not there."
                return Finding(
                    "log-group-absent",
                    what,
                    "No new task starts: ECS ends it before its image runs.",
                    "apply",
                )
    return None
