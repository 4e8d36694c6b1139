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
    clients: Clients, settings: Settings, stack: Stack, state: StackState, taken: Collection[str] = ()
) -> dict[str, ServiceOverrides]:
    """Return what was chosen for each service and is not in `taken`; without the services that have none."""
    cluster = stack.resources["cluster"].aws_name
    found: dict[str, ServiceOverrides] = {}
    for one in settings.workloads:
        resource = stack.resources[one.logical_id("service")]
        resource_state = state.resources.get(resource.logical_id)
        with user_errors(f"looking at {resource.aws_name}"):
            told = overrides_of(
                clients, cluster, resource_state.id if resource_state and resource_state.id else resource.aws_name
            )
        if (left := without_released(told, taken)).tags:
            found[one.name] = left
    return found


def without_released(told: ServiceOverrides, taken: Collection[str]) -> ServiceOverrides:
    """Return the choices of a service without what is in `taken`, and without the tags that record it."""
    if IMAGE in taken:
        told = ServiceOverrides(counts=told.counts, tags=_less(told.tags, IMAGE_OWNER, SHIPPED_WITH))
    if COUNTS in taken:
        told = replace(told, counts=None, tags=_less(told.tags, COUNT_OWNER))
    return told


def _less(marks: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return the tags without those named."""
    return {name: value for name, value in marks.items() if name not in names}


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
    for one in settings.workloads:
        theirs = tuple(_held(one, overrides.get(one.name, ServiceOverrides())))
        name = one.logical_id("service")
        plan.changes[name] = replace(plan.changes[name], external=(*plan.changes[name].external, *theirs))


def _held(one: Workload, told: ServiceOverrides) -> Iterator[Difference]:
    """Yield the differences between what was chosen for a service and its settings."""
    if told.image and told.image != one.image:
        yield Difference("image", told.image, one.image, DEPLOY)
    for chosen, said, who in ((told.size, one.container, DEPLOY), (told.counts, one.service, SCALE)):
        for name, value in vars(chosen).items() if chosen else ():
            if value != getattr(said, name):
                yield Difference(name, value, getattr(said, name), who)
    has = one.container.environment
    for name, value in told.environment.items():
        if has.get(name) != value:  # both values are hidden: they may be secret
            yield Difference(f"environment.{name}", "(shipped)", "(set)" if name in has else None, DEPLOY)
