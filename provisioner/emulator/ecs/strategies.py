"""Deployment strategies in which ECS shifts traffic between two target groups: blue/green, linear, canary.

Stages and their order: botocore 1.44.5, ServiceDeploymentLifecycleStage and DeploymentLifecycleHookStage.
From the first such deployment on, the production rule forwards to both groups by weight
(go-to-k/cdk-real-drift#1730). Each deployment uses the group that the previous one did not use
(hashicorp/terraform-provider-aws#45678).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs.model import Deployment, Rollout, Service
from provisioner.emulator.ecs.traffic import shift

NATIVE = ("BLUE_GREEN", "LINEAR", "CANARY")
_WHOLE = 100.0
_MINUTE = 60.0
# botocore, DeploymentLifecycleHookTimeoutConfiguration, LinearConfiguration and CanaryConfiguration.
_TIMEOUT = {"timeoutInMinutes": 1440, "action": "ROLLBACK"}
_LINEAR = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}
_CANARY = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}

Settle = Callable[[Service], None]
# A step of a deployment: its kind (`hook`, `stage`, `tasks`, `test`, `weight`, `wait`) and its value.
Step = tuple[str, Any]


@dataclass
class Hook:
    """A PAUSE lifecycle hook that a deployment has reached."""

    stage: str
    expires: float
    action: str
    status: str = "AWAITING_ACTION"
    id: str = field(default_factory=lambda: f"ecs-pause-{uuid4().hex}")


@dataclass
class StrategyProgress:
    """The progress of a deployment: its remaining steps, and the hooks that it has reached."""

    steps: list[Step]
    # Rolls the deployment back; takes the reason.
    give_up: Callable[[str], None]
    stage: str = ""
    hooks: list[Hook] = field(default_factory=list)
    weight: float = 0.0
    waits: bool = False

    @property
    def awaited(self) -> Hook | None:
        """The hook at which it is paused, or None."""
        return next((one for one in self.hooks if one.status == "AWAITING_ACTION"), None)


def is_native(service: Service) -> bool:
    """Return whether ECS shifts the traffic of a service's deployments."""
    return service.spec["deploymentConfiguration"].get("strategy") in NATIVE


def begin(service: Service, rollout: Rollout, former: Deployment | None, give_up: Callable[[str], None]) -> None:
    """Choose the target groups of a new deployment and its steps; do nothing for a rolling deployment.

    `give_up` rolls the deployment back and takes the reason.
    """
    if not is_native(service):
        return
    for one in service.spec.get("loadBalancers", []):
        pair = [one["targetGroupArn"], one.get("advancedConfiguration", {}).get("alternateTargetGroupArn")]
        served = former.groups.get(pair[0], pair[0]) if former else pair[0]
        rollout.deployment.groups[pair[0]] = pair[1] if served == pair[0] and pair[1] else pair[0]
    rollout.journey = StrategyProgress(list(_steps(service.spec["deploymentConfiguration"])), give_up)


def _steps(told: dict[str, Any]) -> Iterator[Step]:
    """Yield the steps of a deployment, given the service's deploymentConfiguration."""
    for stage in ("RECONCILE_SERVICE", "PRE_SCALE_UP"):
        yield "stage", stage
        yield "hook", stage
    yield from (("stage", "SCALE_UP"), ("tasks", None))
    for stage in ("POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT"):
        yield "stage", stage
        if stage == "TEST_TRAFFIC_SHIFT":
            yield "test", None
        yield "hook", stage
    for weight, minutes in _shifts(told):
        yield from (("hook", "PRE_PRODUCTION_TRAFFIC_SHIFT"), ("stage", "PRODUCTION_TRAFFIC_SHIFT"))
        yield from (("weight", weight), ("wait", minutes))
    yield from (("stage", "POST_PRODUCTION_TRAFFIC_SHIFT"), ("hook", "POST_PRODUCTION_TRAFFIC_SHIFT"))
    yield from (("stage", "BAKE_TIME"), ("wait", told.get("bakeTimeInMinutes", 0)), ("stage", "CLEAN_UP"))


def _shifts(told: dict[str, Any]) -> Iterator[tuple[float, float]]:
    """Yield each weight of the new revision in per cent, and the minutes for which it keeps that weight."""
    if told["strategy"] == "CANARY":
        canary = _CANARY | told.get("canaryConfiguration", {})
        yield canary["canaryPercent"], canary["canaryBakeTimeInMinutes"]
    if told["strategy"] == "LINEAR":
        linear = _LINEAR | told.get("linearConfiguration", {})
        weight = linear["stepPercent"]
        while weight < _WHOLE:
            yield weight, linear["stepBakeTimeInMinutes"]
            weight += linear["stepPercent"]
    yield _WHOLE, 0


def goes_on(service: Service, rollout: Rollout | None, settle: Settle, *, healthy: bool) -> bool:
    """Take all steps that are possible now; return whether the tasks are healthy and no step is left.

    Args:
        service: The service that is deployed.
        rollout: Its rollout; without a strategy of ECS's own, it has no steps.
        settle: Called later, when a pause or wait is over.
        healthy: Whether all tasks of the new revision are healthy.

    """
    journey = rollout.journey if rollout else None
    if journey is None or rollout is None:
        return healthy
    while journey.steps and not journey.waits:
        what, value = journey.steps[0]
        if what == "tasks" and not healthy:
            return False
        journey.steps.pop(0)
        _take(service, rollout, journey, (what, value), settle)
    return healthy and not journey.steps and not journey.waits


def may_start(rollout: Rollout | None) -> bool:
    """Return whether tasks may be started: not before the stage SCALE_UP."""
    journey = rollout.journey if rollout else None
    return journey is None or journey.stage not in ("", "RECONCILE_SERVICE", "PRE_SCALE_UP")


def _take(service: Service, rollout: Rollout, journey: StrategyProgress, step: Step, settle: Settle) -> None:
    """Take one step: enter a stage, shift traffic, or begin a wait or a pause."""
    what, value = step
    if what == "stage":
        journey.stage = value
    elif what == "weight":
        journey.weight = value
        shift(service, rollout.deployment.groups, value)
    elif what == "test":
        shift(service, rollout.deployment.groups, _WHOLE, rule="testListenerRule")
    elif what == "wait" and value:
        journey.waits = True
        clock.later(value * _MINUTE, partial(_wake, service, rollout, settle))
    elif what == "hook":
        _pause(service, rollout, value, settle)


def _wake(service: Service, rollout: Rollout, settle: Settle) -> None:
    """End a wait, unless the rollout has ended in the meantime."""
    if rollout.journey and rollout.finished is None:
        rollout.journey.waits = False
        settle(service)


def _pause(service: Service, rollout: Rollout, stage: str, settle: Settle) -> None:
    """Pause at each PAUSE hook of a stage; hooks that invoke a Lambda function succeed at once."""
    journey = rollout.journey
    for one in service.spec["deploymentConfiguration"].get("lifecycleHooks", []):
        if journey is None or one.get("targetType") != "PAUSE" or stage not in one["lifecycleStages"]:
            continue
        limit = _TIMEOUT | one.get("timeoutConfiguration", {})
        seconds = float(limit["timeoutInMinutes"]) * _MINUTE
        hook = Hook(stage, clock.now() + seconds, limit["action"])
        journey.hooks.append(hook)
        journey.waits = True
        # In real seconds: a fast emulator does not make the user decide faster. Only advancing the clock,
        # not its speed, shortens the timeout.
        clock.later(0, partial(resolve, service, rollout, hook, hook.action, settle, late=True), at_least=seconds)


def resolve(service: Service, rollout: Rollout, hook: Hook, action: str, settle: Settle, *, late: bool = False) -> bool:
    """Resolve a hook at which a deployment is paused, by going on or rolling back.

    Args:
        service: The service that is deployed.
        rollout: Its rollout.
        hook: The hook.
        action: "CONTINUE", or another action to roll back.
        settle: Called with the service when the deployment goes on.
        late: Whether the hook has timed out.

    Returns:
        False if this rolls the deployment back, else True.

    """
    if hook.status != "AWAITING_ACTION" or rollout.finished is not None or rollout.journey is None:
        return True
    hook.status = "TIMED_OUT" if late else "SUCCEEDED" if action == "CONTINUE" else "FAILED"
    if action != "CONTINUE":
        rollout.journey.give_up("Service deployment rolled back at a lifecycle hook.")
        return False
    rollout.journey.waits = rollout.journey.awaited is not None
    settle(service)
    return True
