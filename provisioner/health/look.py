"""All topics of a stack's health, in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from provisioner.health import alarms, certificates, database, firewall, fronts, measured, services, targets
from provisioner.health.scene import Line, Part, Scene

# In the order in which a request passes them; then the alarms, then the events.
TOPICS: Mapping[str, Callable[[Scene], Iterable[Line]]] = {
    "certificates": certificates.certificates,
    "edge": fronts.edge,
    "firewall": firewall.firewall,
    "balancer": fronts.balancer,
    "targets": targets.targets,
    "services": services.services,
    "database": database.database,
    "table": fronts.table,
    "alarms": alarms.alarms,
    "events": services.events,
}
CALLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Certificates": certificates.CALLS,
    "Services": services.CALLS,
    "Targets": targets.CALLS,
    "Measures": measured.CALLS,
}


def parts(scene: Scene) -> list[Part]:
    """Return the lines of each topic, without the topics that have none."""
    with ThreadPoolExecutor(len(TOPICS)) as pool:
        told = pool.map(lambda tell: tuple(tell(scene)), TOPICS.values())
        found = [Part(topic, lines) for topic, lines in zip(TOPICS, told, strict=True)]
    return [part for part in found if part.lines]


def is_well(found: Iterable[Part]) -> bool:
    """Return whether no line is marked unhealthy or unknown."""
    return not any(part.has("unwell") or part.has("unknown") for part in found)
