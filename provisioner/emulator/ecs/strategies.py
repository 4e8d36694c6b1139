"""Deployment strategies in which ECS shifts traffic between two target groups: blue/green, linear, canary.

Stages and their order: botocore 1.44.5, ServiceDeploymentLifecycleStage and DeploymentLifecycleHookStage.
From the first such deployment on, the production rule forwards to both groups by weight
(go-to-k/cdk-real-drift#1730). Each deployment uses the group that the previous one did not use
(hashicorp/terraform-provider-aws#45678).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs.model import Deployment, Rollout, Service
from provisioner.emulator.moto_bridge import ask_moto

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
        return next((hook for hook in self.hooks if hook.status == "AWAITING_ACTION"), None)


def is_native(service: Service) -> bool:
    """Return whether ECS shifts the traffic of a service's deployments."""
    return service.spec["deploymentConfiguration"].get("strategy") in NATIVE


def begin(service: Service, rollout: Rollout, former: Deployment | None, give_up: Callable[[str], None]) -> None:
    """Choose the target groups of a new deployment and its steps; do nothing for a rolling deployment.

    `give_up` rolls the deployment back and takes the reason.
    """
    if not is_native(service):
        return
    for balancer in service.spec.get("loadBalancers", []):
        pair = [balancer["targetGroupArn"], balancer.get("advancedConfiguration", {}).get("alternateTargetGroupArn")]
        serving = former.groups.get(pair[0], pair[0]) if former else pair[0]
        rollout.deployment.groups[pair[0]] = pair[1] if serving == pair[0] and pair[1] else pair[0]
    rollout.progress = StrategyProgress(list(_steps(service.spec["deploymentConfiguration"])), give_up)


def _steps(configuration: dict[str, Any]) -> Iterator[Step]:
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
    for weight, minutes in _shifts(configuration):
        yield from (("hook", "PRE_PRODUCTION_TRAFFIC_SHIFT"), ("stage", "PRODUCTION_TRAFFIC_SHIFT"))
        yield from (("weight", weight), ("wait", minutes))
    yield from (("stage", "POST_PRODUCTION_TRAFFIC_SHIFT"), ("hook", "POST_PRODUCTION_TRAFFIC_SHIFT"))
    yield from (("stage", "BAKE_TIME"), ("wait", configuration.get("bakeTimeInMinutes", 0)), ("stage", "CLEAN_UP"))


def _shifts(configuration: dict[str, Any]) -> Iterator[tuple[float, float]]:
    """Yield each weight of the new revision in per cent, and the minutes for which it keeps that weight."""
    if configuration["strategy"] == "CANARY":
        canary = _CANARY | configuration.get("canaryConfiguration", {})
        yield canary["canaryPercent"], canary["canaryBakeTimeInMinutes"]
    if configuration["strategy"] == "LINEAR":
        linear = _LINEAR | configuration.get("linearConfiguration", {})
        weight = linear["stepPercent"]
        while weight < _WHOLE:
            yield weight, linear["stepBakeTimeInMinutes"]
            weight += linear["stepPercent"]
    yield _WHOLE, 0


def take_steps(service: Service, rollout: Rollout | None, settle: Settle, *, healthy: bool) -> bool:
    """Take all steps that are possible now; return whether the tasks are healthy and no step is left.

    Args:
        service: The service that is deployed.
        rollout: Its rollout; without a strategy of ECS's own, it has no steps.
        settle: Called later, when a pause or wait is over.
        healthy: Whether all tasks of the new revision are healthy.

    """
    progress = rollout.progress if rollout else None
    if progress is None or rollout is None:
        return healthy
    while progress.steps and not progress.waits:
        kind, value = progress.steps[0]
        if kind == "tasks" and not healthy:
            return False
        progress.steps.pop(0)
        _take_step(service, rollout, progress, (kind, value), settle)
    return healthy and not progress.steps and not progress.waits


def may_start(rollout: Rollout | None) -> bool:
    """Return whether tasks may be started: not before the stage SCALE_UP."""
    progress = rollout.progress if rollout else None
    return progress is None or progress.stage not in ("", "RECONCILE_SERVICE", "PRE_SCALE_UP")


def _take_step(service: Service, rollout: Rollout, progress: StrategyProgress, step: Step, settle: Settle) -> None:
    """Take one step: enter a stage, shift traffic, or begin a wait or a pause."""
    kind, value = step
    if kind == "stage":
        progress.stage = value
    elif kind == "weight":
        progress.weight = value
        shift_traffic(service, rollout.deployment.groups, value)
    elif kind == "test":
        shift_traffic(service, rollout.deployment.groups, _WHOLE, rule="testListenerRule")
    elif kind == "wait" and value:
        progress.waits = True
        clock.later(value * _MINUTE, partial(_end_wait, service, rollout, settle))
    elif kind == "hook":
        _pause_at_hooks(service, rollout, value, settle)


def _end_wait(service: Service, rollout: Rollout, settle: Settle) -> None:
    """End a wait, unless the rollout has ended in the meantime."""
    if rollout.progress and rollout.finished is None:
        rollout.progress.waits = False
        settle(service)


def _pause_at_hooks(service: Service, rollout: Rollout, stage: str, settle: Settle) -> None:
    """Pause at each PAUSE hook of a stage; hooks that invoke a Lambda function succeed at once."""
    progress = rollout.progress
    for configured in service.spec["deploymentConfiguration"].get("lifecycleHooks", []):
        if progress is None or configured.get("targetType") != "PAUSE" or stage not in configured["lifecycleStages"]:
            continue
        limit = _TIMEOUT | configured.get("timeoutConfiguration", {})
        seconds = float(limit["timeoutInMinutes"]) * _MINUTE
        hook = Hook(stage, clock.now() + seconds, limit["action"])
        progress.hooks.append(hook)
        progress.waits = True
        # In real seconds: a fast emulator does not make the user decide faster. Only advancing the clock,
        # not its speed, shortens the timeout.
        clock.later(0, partial(resolve_hook, service, rollout, hook, hook.action, settle, late=True), at_least=seconds)


def resolve_hook(
    service: Service, rollout: Rollout, hook: Hook, action: str, settle: Settle, *, late: bool = False
) -> bool:
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
    if hook.status != "AWAITING_ACTION" or rollout.finished is not None or rollout.progress is None:
        return True
    hook.status = "TIMED_OUT" if late else "SUCCEEDED" if action == "CONTINUE" else "FAILED"
    if action != "CONTINUE":
        rollout.progress.give_up("Service deployment rolled back at a lifecycle hook.")
        return False
    rollout.progress.waits = rollout.progress.awaited is not None
    settle(service)
    return True


def shift_traffic(
    service: Service, groups: Mapping[str, str], weight: float, rule: str = "productionListenerRule"
) -> None:
    """Give a deployment's target groups `weight` per cent of a rule's requests, the other groups the rest.

    `groups` has the group that the deployment uses, by the configured group; `rule` names the field of the
    service's load balancer configuration that holds the rule.
    """
    for balancer in service.spec.get("loadBalancers", []):
        configuration = balancer.get("advancedConfiguration", {})
        if rule not in configuration:
            continue
        own_group = groups.get(balancer["targetGroupArn"], balancer["targetGroupArn"])
        pair = (balancer["targetGroupArn"], configuration["alternateTargetGroupArn"])
        share = round(weight)
        weights = [
            {"TargetGroupArn": arn, "Weight": share if arn == own_group else int(_WHOLE) - share} for arn in pair
        ]
        _set_actions(service, configuration[rule], [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}])


def _set_actions(service: Service, rule: str, actions: list[dict[str, Any]]) -> None:
    """Set the actions of a listener rule, by ModifyListener if it is the default rule of a listener."""
    rules = ask_moto(service.place, "elbv2", "DescribeRules", RuleArns=[rule])["Rules"]
    if rules and rules[0]["IsDefault"]:
        listener = rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        ask_moto(service.place, "elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=actions)
        return
    ask_moto(service.place, "elbv2", "ModifyRule", RuleArn=rule, Actions=actions)
