"""Reads of every resource in the state: whether it exists, and its health."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.doctor.finding import Unset
from provisioner.doctor.patient import Patient
from provisioner.engine.decide import woken_by
from provisioner.engine.states import Standing, standing
from provisioner.engine.target import look, observed
from provisioner.engine.teardown import target_in
from provisioner.kinds import KINDS

_AT_ONCE = 8


@dataclass(frozen=True)
class Stands:
    """One resource in words, and its health."""

    words: str
    how: Standing
    # The command by which a person resumes or restores it; "" if none is needed.
    wake: str = ""


def resources(p: Patient) -> list[Stands]:
    """Return the health of each resource that a run recorded as ready.

    Raises:
        Unset: There is no state, or it has no such resource.

    """
    document = p.document
    entries = document.entries.items() if document else ()
    names = [name for name, one in entries if one.phase == "ready" and not KINDS[one.kind].shared]
    if document is None or not names:
        raise Unset("no state file tells of a resource")

    def ask(name: str) -> Stands:
        target = target_in(document, name, KINDS)
        entry = document.entries[name]
        doc = look(p.clients, target, entry)
        how = standing(target.kind, doc and observed(p.clients, target, doc, entry.made))
        wake = woken_by(target.kind, doc, target.region or p.region) if doc else ""
        return Stands(f"{name} ({target.words})", how, wake)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, names))
