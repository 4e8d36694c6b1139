"""The scheduler of services: starts missing tasks, stops surplus ones, and rolls deployments out or back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs import strategies
from provisioner.emulator.ecs.life import launch, stop
from provisioner.emulator.ecs.model import Deployment, Rollout, Service, Spec, Task, lone_tasks
from provisioner.emulator.ecs.tasks import propagated_tags, provider_of_next
from provisioner.emulator.moto_bridge import ask_moto

RETRY = 15.0  # seconds between a failed task and the next
RETRY_AT_LEAST = 0.2  # real seconds, or a service that can never run would keep the emulator busy forever
ROLLED = (
    "taskDefinition", "networkConfiguration", "loadBalancers", "platformVersion", "launchType",
    "capacityProviderStrategy", "serviceRegistries", "serviceConnectConfiguration", "volumeConfigurations",
    "vpcLatticeConfigurations",
)  # fmt: skip
# A change of these affects no running task, only tasks that start later (botocore ServiceModel,
# UpdateService).
KEPT = ("enableExecuteCommand",)

when_inactive: list[Callable[[Service], None]] = []  # called with a service that has become inactive


def deploy(service: Service) -> Deployment:
    """Start a deployment of the service's current parameters; a rollout in progress is stopped."""
    spec = {key: service.spec[key] for key in (*ROLLED, *KEPT) if key in service.spec}
    former = service.primary if service.deployments else None
    for older in service.deployments:
        older.status = "ACTIVE"
    for rollout in service.rollouts:
        if rollout.status == "IN_PROGRESS":  # superseded
            finish(rollout, "STOPPED", "Service deployment was superseded by a newer one.")
    deployment = Deployment(service.arn, spec, service.desired)
    service.deployments.insert(0, deployment)
    service.rollouts.insert(0, Rollout(deployment, former.revision if former else None))
    roll_back = partial(fail_deployment, service, deployment, rolls_back=True)
    strategies.begin(service, service.rollouts[0], former, roll_back)
    service.add_event(f"has started a new deployment: (deployment {deployment.id}).")
    service.retries = False
    settle(service)
    return deployment


def finish(rollout: Rollout, status: str, reason: str = "") -> None:
    """Set the final status of a rollout."""
    rollout.status, rollout.reason, rollout.finished = status, reason, clock.now()


def settle(service: Service) -> None:
    """Start and stop tasks of a service as its desired state requires, and complete its deployment if done.

    It is called after every change of the service or of one of its tasks.
    """
    if service.status != "ACTIVE":
        _drain(service)
        return
    primary = service.primary
    primary.desired = service.desired
    running = [task for task in service.live if task.desired_status == "RUNNING"]
    current = [task for task in running if task.started_by == primary.id]
    others = [task for task in service.live if task.started_by != primary.id]
    rollout = rollout_in_progress(service, primary)
    strategies.take_steps(service, rollout, settle, healthy=False)
    if strategies.may_start(rollout):
        _start_missing(service, primary, service.desired - len(current))
    for task in current[service.desired :]:
        _stop(service, task, f"Scaling activity initiated by (deployment {primary.id})")
    healthy = sum(task.healthy for task in current) >= service.desired
    if primary.rollout == "FAILED" or not strategies.take_steps(service, rollout, settle, healthy=healthy):
        return
    for task in others:
        _stop(service, task, f"Scaling activity initiated by (deployment {primary.id})")
    if not [task for task in others if task.status != "STOPPED"]:
        _complete(service, primary)


def _start_missing(service: Service, primary: Deployment, missing: int) -> None:
    """Start missing tasks, unless the deployment failed or a retry is scheduled that will start them."""
    if primary.rollout != "FAILED" and not service.retries:
        for _ in range(missing):
            _launch(service, primary)


def rollout_in_progress(service: Service, deployment: Deployment) -> Rollout | None:
    """Return the rollout in progress of a deployment, or None."""
    rollouts = (rollout for rollout in service.rollouts if rollout.deployment is deployment)
    return next((rollout for rollout in rollouts if rollout.finished is None and rollout.status == "IN_PROGRESS"), None)


def _launch(service: Service, deployment: Deployment) -> None:
    """Launch one task of a deployment, on a capacity provider and with tags of its service."""
    definition = ask_moto(
        service.place, "ecs", "DescribeTaskDefinition", taskDefinition=deployment.spec["taskDefinition"]
    )["taskDefinition"]
    # Each deployment has its own strategy, and so its own base (botocore, Deployment): the tasks of an
    # earlier deployment do not count.
    own_tasks = (task for task in service.live if task.started_by == deployment.id)
    providers = [task.provider for task in own_tasks if task.desired_status == "RUNNING"]
    strategy = service.spec.get("capacityProviderStrategy", [])
    group = f"service:{service.name}"
    task = Task(service.place, service.cluster, definition, deployment.task_parameters, group, deployment.id)
    task.provider = provider_of_next(strategy, providers)
    task.tags = propagated_tags(service, definition["taskDefinitionArn"])
    service.tasks.append(task)
    launch(task, partial(_settle_after_change, service))


def _stop(service: Service, task: Task, reason: str) -> None:
    """Stop a task for the reason `reason`."""
    stop(task, "ServiceSchedulerInitiated", reason, partial(_settle_after_change, service))


def _settle_after_change(service: Service, task: Task) -> None:
    """Settle the service after a change of a task, or count a failure if the task stopped by itself.

    Enough failures of a deployment in progress trip the circuit breaker; otherwise, a retry is scheduled.
    """
    deployment = next((d for d in service.deployments if d.id == task.started_by), None)
    unwanted = task.status == "STOPPED" and not task.stop_reason.startswith(("Scaling", "Task stopped by"))
    if deployment is not None and unwanted and service.status == "ACTIVE":
        deployment.updated = clock.now()
        service.add_event(f"was unable to place or keep a task: {task.stop_reason}")
        if deployment.rollout == "IN_PROGRESS":
            deployment.failed += 1
            if service.breaker.get("enable") and deployment.failed >= service.threshold:
                fail_deployment(service, deployment)
                return
        endless = not service.breaker.get("enable") or deployment.rollout != "IN_PROGRESS"
        if not service.retries:
            service.retries = True
            clock.later(RETRY, partial(_start_missing_again, service), at_least=RETRY_AT_LEAST if endless else 0.0)
        return
    settle(service)


def _start_missing_again(service: Service) -> None:
    """Start all missing tasks; scheduled once for all tasks that failed in the meantime."""
    service.retries = False
    settle(service)


def _complete(service: Service, deployment: Deployment) -> None:
    """Mark a deployment as completed, and close its rollout or the rollback to it."""
    service.deployments = [deployment]
    if deployment.rollout == "COMPLETED":
        return
    deployment.rollout, deployment.updated = "COMPLETED", clock.now()
    deployment.reason = f"ECS deployment {deployment.id} completed."
    service.last_good = dict(deployment.spec)
    service.add_event(f"(deployment {deployment.id}) deployment completed.")
    service.add_event("has reached a steady state.")
    for rollout in service.rollouts:
        if rollout.status == "IN_PROGRESS" and rollout.deployment is deployment:
            finish(rollout, "SUCCESSFUL")
        elif rollout.status == "ROLLBACK_IN_PROGRESS":
            finish(rollout, "ROLLBACK_SUCCESSFUL", rollout.reason)


def fail_deployment(
    service: Service,
    deployment: Deployment,
    reason: str = "ECS deployment circuit breaker: tasks failed to start.",
    *,
    rolls_back: bool | None = None,
) -> None:
    """Mark a deployment as failed, stop its tasks, and roll back if that is asked for.

    `rolls_back` says whether to roll back to the last good deployment; None leaves it to the circuit breaker.
    """
    deployment.rollout, deployment.reason, deployment.updated = "FAILED", reason, clock.now()
    service.add_event(f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
    if returning := _returning_to(service, deployment):
        # A failed rollback has no further fallback; its healthy tasks keep running.
        finish(returning, "ROLLBACK_FAILED", f"{returning.reason} The rollback failed as well.")
    else:
        _give_up(service, deployment, reason, rolls_back=rolls_back)
    for task in service.live:
        if task.started_by == deployment.id and not (returning and task.healthy):
            _stop(service, task, "Scaling activity initiated by a failed deployment")
    if service.primary.rollout != "FAILED":
        settle(service)


def _returning_to(service: Service, deployment: Deployment) -> Rollout | None:
    """Return the failed rollout that is rolling back to this deployment, or None."""
    rolling_back = (rollout for rollout in service.rollouts if rollout.status == "ROLLBACK_IN_PROGRESS")
    return next((rollout for rollout in rolling_back if rollout.rollback_to == deployment.revision), None)


def _give_up(service: Service, deployment: Deployment, reason: str, *, rolls_back: bool | None) -> None:
    """Close the rollout of a failed deployment, or start its rollback if wanted and possible."""
    rollout = next(r for r in service.rollouts if r.deployment is deployment)
    is_rolled_back = service.breaker.get("rollback", False) if rolls_back is None else rolls_back
    if not is_rolled_back:
        finish(rollout, "STOPPED", reason)
    elif service.last_good is None:  # a first deployment has nothing to go back to
        finish(rollout, "ROLLBACK_FAILED", f"{reason} No rollback candidate was found to run the rollback.")
    else:
        _roll_back(service, rollout, service.last_good, reason)


def _roll_back(service: Service, rollout: Rollout, good_spec: Spec, reason: str) -> None:
    """Make the last good deployment primary again, and shift all traffic back to it.

    `good_spec` has the service parameters of that deployment.
    """
    rollout.status, rollout.reason = "ROLLBACK_IN_PROGRESS", reason
    service.spec.update(good_spec)
    rollout.deployment.status = "ACTIVE"
    restored = next((d for d in service.deployments if d.spec == good_spec and d.rollout == "COMPLETED"), None)
    strategies.shift_traffic(service, restored.groups if restored else {}, 100)
    if restored is None:
        restored = Deployment(service.arn, dict(good_spec), service.desired)
        service.deployments.append(restored)
    restored.status, restored.failed = "PRIMARY", 0
    restored.rollout, restored.reason = "IN_PROGRESS", f"ECS deployment {restored.id} in progress: rolling back."
    rollout.rollback_to = restored.revision
    service.deployments.sort(key=lambda deployment: deployment.status != "PRIMARY")
    service.add_event(f"rolling back to (deployment {restored.id}).")


def delete(service: Service) -> None:
    """Start the deletion of a service: its tasks stop, then it becomes inactive."""
    service.status, service.desired = "DRAINING", 0
    for task in service.live:
        _stop(service, task, f"Scaling activity initiated by (deployment {service.primary.id})")
    clock.later(0, partial(settle, service))


def _drain(service: Service) -> None:
    """Make a draining service inactive when its last task has stopped."""
    if service.status == "DRAINING" and not service.live:
        service.status = "INACTIVE"
        service.deployments.clear()
        for tell in when_inactive:
            tell(service)


def run_once(task: Task) -> None:
    """Launch a standalone task."""
    lone_tasks.of(task.place)[task.arn] = task
    launch(task, lambda _: None)
