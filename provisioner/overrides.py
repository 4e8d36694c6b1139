"""What `deploy` and `scale` chose in place of the settings: images and counts, until `--take` ends it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Stack
from provisioner.names import COUNT_OWNER, IMAGE_OWNER, SHIPPED_WITH
from provisioner.resources.ecs.overrides import DEPLOY, SCALE, overrides_of
from provisioner.settings import Settings, Workload
from provisioner.settings.overrides import ServiceOverrides
from state.stack_state import ResourceState, StackState

# The values of `--take`.
IMAGE, COUNTS = "image", "counts"


def read_overrides(
    clients: Clients, settings: Settings, stack: Stack, state: StackState, released: Collection[str] = ()
) -> dict[str, ServiceOverrides]:
    """Return what was chosen for each service and is not in `released`; without the services that have none."""
    cluster = stack.resources["cluster"].aws_name
    overrides: dict[str, ServiceOverrides] = {}
    for workload in settings.workloads:
        resource = stack.resources[workload.logical_id("service")]
        resource_state = state.resources.get(resource.logical_id)
        with user_errors(f"looking at {resource.aws_name}"):
            override = overrides_of(
                clients, cluster, resource_state.id if resource_state and resource_state.id else resource.aws_name
            )
        if (remaining := without_released(override, released)).tags:
            overrides[workload.name] = remaining
    return overrides


def without_released(override: ServiceOverrides, released: Collection[str]) -> ServiceOverrides:
    """Return the choices of a service without what is in `released`, and without the tags that record it."""
    if IMAGE in released:
        override = ServiceOverrides(
            counts=override.counts, tags=_without_tags(override.tags, IMAGE_OWNER, SHIPPED_WITH)
        )
    if COUNTS in released:
        override = replace(override, counts=None, tags=_without_tags(override.tags, COUNT_OWNER))
    return override


def _without_tags(tags: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return the tags without those named."""
    return {name: value for name, value in tags.items() if name not in names}


def running_revisions(
    state: StackState, stack: Stack, overrides: Mapping[str, ServiceOverrides]
) -> dict[str, ResourceState]:
    """Return the task definition revisions that run and are not recorded, for services with a chosen image.

    So a `deploy` that was killed, one that ECS rolled back, and a lost state are all read alike.
    """
    revisions: dict[str, ResourceState] = {}
    for name, override in overrides.items():
        resource = stack.resources[f"task.{name}" if name else "task"]
        resource_state = state.resources.get(resource.logical_id)
        if not override.revision or (resource_state and resource_state.id == override.revision):
            continue
        resource_state = resource_state or ResourceState(
            str(resource.type), resource.aws_name, resource.step, depends_on=resource.depends_on
        )
        revisions[resource.logical_id] = replace(
            resource_state, id=override.revision, phase="ready", recorded=None, intent=None
        )
    return revisions


def show_overrides(plan: Plan, settings: Settings, overrides: Mapping[str, ServiceOverrides]) -> None:
    """Show in the plan which values are left to `deploy` and `scale`, and what the settings say instead."""
    for workload in settings.workloads:
        differences = tuple(_override_differences(workload, overrides.get(workload.name, ServiceOverrides())))
        name = workload.logical_id("service")
        plan.changes[name] = replace(plan.changes[name], external=(*plan.changes[name].external, *differences))


def _override_differences(workload: Workload, override: ServiceOverrides) -> Iterator[Difference]:
    """Yield the differences between what was chosen for a service and its settings."""
    if override.image and override.image != workload.image:
        yield Difference("image", override.image, workload.image, DEPLOY)
    for overridden, configured, command in (
        (override.size, workload.container, DEPLOY),
        (override.counts, workload.service, SCALE),
    ):
        for name, value in vars(overridden).items() if overridden else ():
            if value != getattr(configured, name):
                yield Difference(name, value, getattr(configured, name), command)
    configured_environment = workload.container.environment
    for name, value in override.environment.items():
        if configured_environment.get(name) != value:  # both values are hidden: they may be secret
            yield Difference(
                f"environment.{name}", "(shipped)", "(set)" if name in configured_environment else None, DEPLOY
            )
