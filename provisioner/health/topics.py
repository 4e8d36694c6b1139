"""The topics of a stack's health, and the function that reads all of them in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from provisioner.health import certificates, cloudwatch, database, edge, services, targets
from provisioner.health.context import HealthContext, HealthLine, TopicHealth

# In the order in which a request passes what they are about; then the alarms, then the events.
TOPICS: Mapping[str, Callable[[HealthContext], Iterable[HealthLine]]] = {
    "certificates": certificates.certificates,
    "edge": edge.edge,
    "firewall": edge.firewall,
    "balancer": edge.balancer,
    "targets": targets.targets,
    "services": services.services,
    "database": database.database,
    "table": edge.table,
    "alarms": cloudwatch.alarms,
    "events": services.events,
}
CALLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Certificates": certificates.CALLS,
    "Services": services.CALLS,
    "Targets": targets.CALLS,
    "Measures": cloudwatch.CALLS,
}


def topics(context: HealthContext) -> list[TopicHealth]:
    """Return the lines of each topic, without the topics that have none."""
    with ThreadPoolExecutor(len(TOPICS)) as pool:
        lines_by_topic = list(pool.map(lambda read_lines: tuple(read_lines(context)), TOPICS.values()))
    return [TopicHealth(topic, lines) for topic, lines in zip(TOPICS, lines_by_topic, strict=True) if lines]


def is_healthy(topics: Iterable[TopicHealth]) -> bool:
    """Return whether no line is unhealthy or unknown."""
    return not any(topic.has_status("unhealthy") or topic.has_status("unknown") for topic in topics)
