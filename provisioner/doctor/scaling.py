"""Checks of autoscaling: whether the number of tasks can follow the requests."""

from __future__ import annotations

import shlex

from provisioner.doctor.finding import Finding
from provisioner.doctor.reads.scaling import BY_HAND, BY_SCALE, BY_SETTINGS, ScaledService
from provisioner.resources.autoscaling import describe_scheduled_action
from provisioner.settings.ineffective import never_scales_up

_FIXED = "The number of tasks does not follow the requests."
_HELD = {
    BY_SCALE: "as `scale` has set it",
    BY_SETTINGS: "as its settings say",
    BY_HAND: "which is not what its settings say",
}


def scaling_is_active(found: list[ScaledService]) -> Finding | None:
    """Check that no part of a service's autoscaling is suspended."""
    for one in found:
        if not one.suspended.is_healthy:
            what = f"The scaling of {one.service} is {one.suspended.description}."
            return Finding("scaling-suspended", what, _FIXED, "apply")
    return None


def policy_alarms_exist(found: list[ScaledService]) -> Finding | None:
    """Check that the alarms that AWS created for each scaling policy exist, and call the policy."""
    for one in found:
        for policy, how in one.policies:
            if not how.is_healthy:
                what = f"The scaling policy {policy} of {one.service} is {how.description}."
                return Finding("scaling-alarms-lost", what, _FIXED, "apply")
    return None


def service_can_scale_from_zero(found: list[ScaledService]) -> Finding | None:
    """Check that a service that may run 0 tasks is scaled out by something."""
    for one in found:
        if one.sleeps:
            what = never_scales_up(f"{one.service} may stand at 0 tasks, {_HELD[one.held]},")
            why = "It answers nothing once it has been scaled in."
            if one.held == BY_SETTINGS:
                why = f"{why} Set {one.setting}=1 or more, then apply that."
            more = f" --service {one.title}" if one.title else ""
            return Finding(
                "nothing-wakes-service",
                what,
                why,
                f"scale --min 1{more}" if one.held == BY_SCALE else "apply",
            )
    return None


def schedule_keeps_tasks(found: list[ScaledService]) -> Finding | None:
    """Check that no scheduled action ends the last task of a service while nothing starts one again."""
    for one in found:
        for action in one.ending:
            what = (
                f"On {one.service} is the {describe_scheduled_action(action)}; no other one raises the minimum again."
            )
            which = (
                f"--service-namespace ecs --resource-id {action['ResourceId']} "
                f"--scalable-dimension {action['ScalableDimension']} "
                f"--scheduled-action-name {shlex.quote(action['ScheduledActionName'])}"
            )
            return Finding(
                "schedule-ends-service",
                what,
                "From then on it runs no task and answers nothing.",
                f"aws application-autoscaling delete-scheduled-action {which}",
            )
    return None
