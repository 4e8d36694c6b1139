"""The critical path of a stack in the profile `seed`, from the emulator's durations and the stack's edges."""

from __future__ import annotations

from dataclasses import replace

from provisioner.emulator.behaviours import balancers, databases, distributions, nat_gateways, tables
from provisioner.emulator.ecs.life import HEALTH, LINGER, START, STOP
from provisioner.engine.estimates.critical_path import (
    CriticalPath,
    DeleteStage,
    Stage,
    create_graph,
    critical_path,
    delete_graph,
)
from provisioner.engine.resource_graph.graph import Edge, Stack
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups

# The seconds, at speed 1 (as AWS), until a resource of each type is ready.
_READY = {
    "DBCluster": databases.CLUSTER,
    "DBInstance": databases.INSTANCE,
    "Distribution": distributions.DEPLOY,
    "LoadBalancer": balancers.CREATE,
    "NatGateway": nat_gateways.CREATE,
    "Service": START + HEALTH,
    "Table": tables.CREATE,
}
# The seconds, at speed 1, until a resource of each type is gone.
_GONE = {
    "DBCluster": databases.CLUSTER_DELETE,
    "DBInstance": databases.INSTANCE_DELETE,
    "Distribution": distributions.DEPLOY,
    "NatGateway": nat_gateways.DELETE,
    "Table": tables.DELETE,
}
# Resources that AWS refuses to create until another is ready, though their edge only needs it to exist. The
# retries take the place of the wait.
_REFUSED = {"writer": "aurora"}


def _stack() -> Stack:
    """Return the declared graph of a stack in the profile `seed`."""
    settings = Settings(profile="seed")
    return build(settings, "bench", "us-east-1", offline_lookups(settings.network.zones, settings.database.version))


def of_apply(*, all_ready: bool = False) -> CriticalPath[Stage]:
    """Return the critical path of an apply.

    Args:
        all_ready: Whether every edge waits until the resource is ready.

    """
    stack = _stack()
    edges = {resource.logical_id: list(resource.edges) for resource in stack}
    for name, other in _REFUSED.items():
        edges[name].append(Edge(other, ready=True, reason="AWS refuses it before"))
    if all_ready:
        edges = {name: [replace(edge, ready=True) for edge in needs] for name, needs in edges.items()}
    seconds = {Stage(resource.logical_id, "ready"): _READY.get(str(resource.type), 0.0) for resource in stack}
    return _slow(critical_path(create_graph(edges), seconds), seconds)


def of_teardown(*, all_ready: bool = False) -> CriticalPath[DeleteStage]:
    """Return the critical path of a teardown, with the time until network interfaces are released.

    The interfaces are those of the load balancer and of tasks; AWS keeps them for a while after the deletion.

    Args:
        all_ready: Whether every deletion waits until the resources that need this one are gone.

    """
    stack = _stack()
    resources = stack.resources
    needs = {resource.logical_id: list(resource.depends_on) for resource in stack if not resource.type.account_wide}
    seconds = {DeleteStage(name, "gone"): _GONE.get(str(resources[name].type), 0.0) for name in needs}
    drain = resources["tg-attributes"].props["Attributes"]["deregistration_delay.timeout_seconds"]
    seconds[DeleteStage("service", "gone")] = STOP + float(drain)

    def beside(name: str, other: str) -> bool:
        """Return whether the deletion of `name` waits only until that of `other` has begun."""
        return not all_ready and str(resources[other].type) in resources[name].type.deleted_alongside

    graph = delete_graph(needs, beside)
    lingering = {"alb": balancers.LINGER, "service": LINGER}
    for keeper, held in lingering.items():
        rest = DeleteStage(f"interfaces of {keeper}", "gone")
        graph[rest], seconds[rest] = {DeleteStage(keeper, "gone")}, held
        for name in resources[keeper].depends_on:
            if str(resources[name].type) in ("Subnet", "SecurityGroup") and DeleteStage(name, "gone") in graph:
                graph[DeleteStage(name, "gone")].add(rest)
    return _slow(critical_path(graph, seconds), seconds)


def _slow(chain: CriticalPath, seconds: dict) -> CriticalPath:  # type: ignore[type-arg]
    """Return the chain without the steps that take no time."""
    return CriticalPath(tuple(step for step in chain.vertices if seconds.get(step)), chain.seconds)


def told(chain: CriticalPath, pace: float = 1.0) -> str:  # type: ignore[type-arg]
    """Return the chain in words, with its seconds multiplied by `pace`."""
    return f"{chain.seconds * pace:.1f} s: {' > '.join(stage.logical_id for stage in chain.vertices)}"
