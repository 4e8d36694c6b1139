"""Reads of every resource in the state: whether it exists, and its health."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.doctor.finding import Unset
from provisioner.doctor.patient import Patient
from provisioner.engine.execution.managed_resource import read_recorded, with_status_reads
from provisioner.engine.execution.teardown import target_in
from provisioner.engine.planning.planner import woken_by
from provisioner.engine.types.health_status import ResourceHealth, health_of
from provisioner.resources import RESOURCE_TYPES

_AT_ONCE = 8


@dataclass(frozen=True)
class Stands:
    """One resource in words, and its health."""

    words: str
    how: ResourceHealth
    # The command by which a person resumes or restores it; "" if none is needed.
    wake: str = ""


def resources(p: Patient) -> list[Stands]:
    """Return the health of each resource that a run recorded as ready.

    Raises:
        Unset: There is no state, or it has no such resource.

    """
    state = p.document
    resource_states = state.resources.items() if state else ()
    names = [
        name for name, one in resource_states if one.phase == "ready" and not RESOURCE_TYPES[one.type_name].account_wide
    ]
    if state is None or not names:
        raise Unset("no state file tells of a resource")

    def ask(name: str) -> Stands:
        managed = target_in(state, name, RESOURCE_TYPES)
        resource_state = state.resources[name]
        doc = read_recorded(p.clients, managed, resource_state)
        how = health_of(managed.type, doc and with_status_reads(p.clients, managed, doc, resource_state.created_at))
        wake = woken_by(managed.type, doc, managed.region or p.region) if doc else ""
        return Stands(f"{name} ({managed.description})", how, wake)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, names))
