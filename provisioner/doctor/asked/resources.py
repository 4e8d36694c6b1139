"""What is asked of every resource that the state file tells of: how it stands."""

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
    """One resource, and how it is."""

    words: str
    how: Standing
    # The command of a person's that wakes it or calls it back; "" where none is needed.
    wake: str = ""


def resources(p: Patient) -> list[Stands]:
    """Read each that a run has confirmed; Unset where no state file tells of any."""
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
        wake = woken_by(target.kind, doc, target.region) if doc else ""
        return Stands(f"{name} ({target.words})", how, wake)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, names))
