"""Checks of autoscaling: whether the number of tasks can follow the requests."""

from __future__ import annotations

import shlex

from provisioner.doctor.check import Finding
from provisioner.doctor.reads.scaling import BY_HAND, BY_SCALE, BY_SETTINGS, ScaledService
from provisioner.resources.autoscaling import describe_scheduled_action
from provisioner.settings.ineffective import never_scales_up_message

_TASK_COUNT_IS_FIXED = "The number of tasks does not follow the requests."
_MINIMUM_SET_BY = {
    BY_SCALE: "as `scale` has set it",
    BY_SETTINGS: "as its settings say",
    BY_HAND: "which is not what its settings say",
}


def scaling_is_active(services: list[ScaledService]) -> Finding | None:
    """Check that no part of a service's autoscaling is suspended."""
    for service in services:
        if not service.suspended.is_healthy:
            problem = f"The scaling of {service.service} is {service.suspended.description}."
            return Finding("scaling-suspended", problem, _TASK_COUNT_IS_FIXED, "apply")
    return None


def policy_alarms_exist(services: list[ScaledService]) -> Finding | None:
    """Check that the alarms that AWS created for each scaling policy exist, and call the policy."""
    for service in services:
        for policy, health in service.policies:
            if not health.is_healthy:
                problem = f"The scaling policy {policy} of {service.service} is {health.description}."
                return Finding("scaling-alarms-lost", problem, _TASK_COUNT_IS_FIXED, "apply")
    return None


def service_can_scale_from_zero(services: list[ScaledService]) -> Finding | None:
    """Check that a service that may run 0 tasks is scaled out by something."""
    for service in services:
        if service.stays_at_zero:
            set_by = _MINIMUM_SET_BY[service.minimum_set_by]
            problem = never_scales_up_message(f"{service.service} may run 0 tasks, {set_by},")
            consequence = "It answers nothing once it has been scaled in."
            if service.minimum_set_by == BY_SETTINGS:
                consequence = f"{consequence} Set {service.minimum_setting}=1 or more, then apply that."
            command = "apply"
            if service.minimum_set_by == BY_SCALE:
                command = f"scale --min 1{f' --service {service.service_option}' if service.service_option else ''}"
            return Finding("nothing-wakes-service", problem, consequence, command)
    return None


def schedule_keeps_tasks(services: list[ScaledService]) -> Finding | None:
    """Check that no scheduled action ends the last task of a service while nothing starts one again."""
    for service in services:
        for action in service.ending_actions:
            name = describe_scheduled_action(action)
            problem = f"{service.service} has the {name}; no other one raises the minimum again."
            options = (
                f"--service-namespace ecs --resource-id {action['ResourceId']} "
                f"--scalable-dimension {action['ScalableDimension']} "
                f"--scheduled-action-name {shlex.quote(action['ScheduledActionName'])}"
            )
            consequence = "From then on it runs no task and answers nothing."
            command = f"aws application-autoscaling delete-scheduled-action {options}"
            return Finding("schedule-ends-service", problem, consequence, command)
    return None
