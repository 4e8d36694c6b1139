"""The scheduler of services: starts missing tasks, stops surplus ones, and rolls deployments out or back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs import strategies
from provisioner.emulator.ecs.life import launch, stop
from provisioner.emulator.ecs.model import Deployment, Rollout, Service, Spec, Task, lone_tasks
from provisioner.emulator.ecs.tasks import propagated, provider_of_next
from provisioner.emulator.ecs.traffic import shift
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
    back = partial(trip, service, deployment, back=True)
    strategies.begin(service, service.rollouts[0], former, back)
    service.say(f"has started a new deployment: (deployment {deployment.id}).")
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
    wanted = [task for task in service.live if task.wanted == "RUNNING"]
    mine = [task for task in wanted if task.started_by == primary.id]
    others = [task for task in service.live if task.started_by != primary.id]
    rollout = under_way(service, primary)
    strategies.goes_on(service, rollout, settle, healthy=False)
    if strategies.may_start(rollout):
        _fill(service, primary, service.desired - len(mine))
    for task in mine[service.desired :]:
        _stop(service, task, f"Scaling activity initiated by (deployment {primary.id})")
    healthy = sum(task.healthy for task in mine) >= service.desired
    if primary.rollout == "FAILED" or not strategies.goes_on(service, rollout, settle, healthy=healthy):
        return
    for task in others:
        _stop(service, task, f"Scaling activity initiated by (deployment {primary.id})")
    if not [task for task in others if task.status != "STOPPED"]:
        _complete(service, primary)


def _fill(service: Service, primary: Deployment, missing: int) -> None:
    """Start missing tasks, unless the deployment failed or a retry is scheduled that will start them."""
    if primary.rollout != "FAILED" and not service.retries:
        for _ in range(missing):
            _launch(service, primary)


def under_way(service: Service, deployment: Deployment) -> Rollout | None:
    """Return the rollout in progress of a deployment, or None."""
    mine = (one for one in service.rollouts if one.deployment is deployment)
    return next((one for one in mine if one.finished is None and one.status == "IN_PROGRESS"), None)


def _launch(service: Service, deployment: Deployment) -> None:
    """Launch one task of a deployment, on a capacity provider and with tags of its service."""
    definition = ask_moto(
        service.place, "ecs", "DescribeTaskDefinition", taskDefinition=deployment.spec["taskDefinition"]
    )["taskDefinition"]
    # Each deployment has its own strategy, and so its own base (botocore, Deployment): the tasks of an
    # earlier deployment do not count.
    mine = (task for task in service.live if task.started_by == deployment.id)
    there = [task.provider for task in mine if task.wanted == "RUNNING"]
    strategy = service.spec.get("capacityProviderStrategy", [])
    group = f"service:{service.name}"
    task = Task(service.place, service.cluster, definition, deployment.resolved, group, deployment.id)
    task.provider = provider_of_next(strategy, there)
    task.tags = propagated(service, definition["taskDefinitionArn"])
    service.tasks.append(task)
    launch(task, partial(_changed, service))


def _stop(service: Service, task: Task, why: str) -> None:
    """Stop a task for the reason `why`."""
    stop(task, "ServiceSchedulerInitiated", why, partial(_changed, service))


def _changed(service: Service, task: Task) -> None:
    """Settle the service after a change of a task, or count a failure if the task stopped by itself.

    Enough failures of a deployment in progress trip the circuit breaker; otherwise, a retry is scheduled.
    """
    deployment = next((d for d in service.deployments if d.id == task.started_by), None)
    unwanted = task.status == "STOPPED" and not task.stop_reason.startswith(("Scaling", "Task stopped by"))
    if deployment is not None and unwanted and service.status == "ACTIVE":
        deployment.updated = clock.now()
        service.say(f"was unable to place or keep a task: {task.stop_reason}")
        if deployment.rollout == "IN_PROGRESS":
            deployment.failed += 1
            if service.breaker.get("enable") and deployment.failed >= service.threshold:
                trip(service, deployment)
                return
        endless = not service.breaker.get("enable") or deployment.rollout != "IN_PROGRESS"
        if not service.retries:
            service.retries = True
            clock.later(RETRY, partial(_retry, service), at_least=RETRY_AT_LEAST if endless else 0.0)
        return
    settle(service)


def _retry(service: Service) -> None:
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
    service.say(f"(deployment {deployment.id}) deployment completed.")
    service.say("has reached a steady state.")
    for rollout in service.rollouts:
        if rollout.status == "IN_PROGRESS" and rollout.deployment is deployment:
            finish(rollout, "SUCCESSFUL")
        elif rollout.status == "ROLLBACK_IN_PROGRESS":
            finish(rollout, "ROLLBACK_SUCCESSFUL", rollout.reason)


def trip(
    service: Service,
    deployment: Deployment,
    why: str = "ECS deployment circuit breaker: tasks failed to start.",
    *,
    back: bool | None = None,
) -> None:
    """Mark a deployment as failed, stop its tasks, and roll back if that is asked for.

    `back` says whether to roll back to the last good deployment; None leaves it to the circuit breaker.
    """
    deployment.rollout, deployment.reason, deployment.updated = "FAILED", why, clock.now()
    service.say(f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
    if returning := _returning_to(service, deployment):
        # A failed rollback has no further fallback; its healthy tasks keep running.
        finish(returning, "ROLLBACK_FAILED", f"{returning.reason} The rollback failed as well.")
    else:
        _give_up(service, deployment, why, back=back)
    for task in service.live:
        if task.started_by == deployment.id and not (returning and task.healthy):
            _stop(service, task, "Scaling activity initiated by a failed deployment")
    if service.primary.rollout != "FAILED":
        settle(service)


def _returning_to(service: Service, deployment: Deployment) -> Rollout | None:
    """Return the failed rollout that is rolling back to this deployment, or None."""
    going = (one for one in service.rollouts if one.status == "ROLLBACK_IN_PROGRESS")
    return next((one for one in going if one.rollback_to == deployment.revision), None)


def _give_up(service: Service, deployment: Deployment, why: str, *, back: bool | None) -> None:
    """Close the rollout of a failed deployment, or start its rollback if wanted and possible."""
    rollout = next(r for r in service.rollouts if r.deployment is deployment)
    wants_back = service.breaker.get("rollback", False) if back is None else back
    if not wants_back:
        finish(rollout, "STOPPED", why)
    elif service.last_good is None:  # a first deployment has nothing to go back to
        finish(rollout, "ROLLBACK_FAILED", f"{why} No rollback candidate was found to run the rollback.")
    else:
        _roll_back(service, rollout, service.last_good, why)


def _roll_back(service: Service, rollout: Rollout, good: Spec, why: str) -> None:
    """Make the last good deployment primary again, and shift all traffic back to it.

    `good` has the service parameters of that deployment.
    """
    rollout.status, rollout.reason = "ROLLBACK_IN_PROGRESS", why
    service.spec.update(good)
    rollout.deployment.status = "ACTIVE"
    kept = next((d for d in service.deployments if d.spec == good and d.rollout == "COMPLETED"), None)
    shift(service, kept.groups if kept else {}, 100)
    if kept is None:
        kept = Deployment(service.arn, dict(good), service.desired)
        service.deployments.append(kept)
    kept.status, kept.failed = "PRIMARY", 0
    kept.rollout, kept.reason = "IN_PROGRESS", f"ECS deployment {kept.id} in progress: rolling back."
    rollout.rollback_to = kept.revision
    service.deployments.sort(key=lambda deployment: deployment.status != "PRIMARY")
    service.say(f"rolling back to (deployment {kept.id}).")


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
