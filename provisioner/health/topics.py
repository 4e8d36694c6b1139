"""All topics of a stack's health, in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from provisioner.health import alarms, certificates, database, edge, metrics, services, targets
from provisioner.health.context import HealthContext, HealthLine, TopicHealth

# In the order in which a request passes them; then the alarms, then the events.
TOPICS: Mapping[str, Callable[[HealthContext], Iterable[HealthLine]]] = {
    "certificates": certificates.certificates,
    "edge": edge.edge,
    "firewall": edge.firewall,
    "balancer": edge.balancer,
    "targets": targets.targets,
    "services": services.services,
    "database": database.database,
    "table": edge.table,
    "alarms": alarms.alarms,
    "events": services.events,
}
CALLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Certificates": certificates.CALLS,
    "Services": services.CALLS,
    "Targets": targets.CALLS,
    "Measures": metrics.CALLS,
}


def topics(context: HealthContext) -> list[TopicHealth]:
    """Return the lines of each topic, without the topics that have none."""
    with ThreadPoolExecutor(len(TOPICS)) as pool:
        told = pool.map(lambda tell: tuple(tell(context)), TOPICS.values())
        found = [TopicHealth(topic, lines) for topic, lines in zip(TOPICS, told, strict=True)]
    return [part for part in found if part.lines]


def is_healthy(found: Iterable[TopicHealth]) -> bool:
    """Return whether no line is marked unhealthy or unknown."""
    return not any(part.has("unwell") or part.has("unknown") for part in found)
