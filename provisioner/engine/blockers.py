"""What will keep resources from being deleted, asked before the first deletion."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import Clients
from provisioner.engine.explain import explained
from provisioner.engine.faults import Fault, fault_of, is_unknown_call
from provisioner.engine.kind import Kind
from provisioner.engine.plan import Kinds, Plan
from provisioner.engine.target import Target
from provisioner.engine.teardown import target_in
from provisioner.engine.walk import Tell, Walk, Work
from state.document import Document

_LOOKERS = 8


@dataclass(frozen=True)
class Blocker:
    """Somebody else's resource, or a contract, that keeps one of ours from being deleted."""

    node: str
    kind: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.node} is held by {self.what}{f': {self.remedy}' if self.remedy else ''}"


def blockers(plan: Plan, document: Document, clients: Clients, kinds: Kinds) -> list[Blocker]:
    """What will not go by itself and holds what the state knows; a read that AWS denies is told as one."""
    shared = clients.sharing()
    standing = [name for name, entry in document.entries.items() if entry.id and name in plan.docs]
    asked = [name for name in standing if _can_be_held(kinds[document.entries[name].kind])]
    found: dict[str, list[Blocker]] = {}

    def begin(name: str) -> Work[str]:
        def work(tell: Tell[str]) -> None:
            target = target_in(document, name, kinds)
            with explained(f"asking who holds {target.it.name or name}"):
                found[name] = _of_one(target, shared)
            tell(name)

        return work

    Walk({name: set() for name in asked}, begin, workers=_LOOKERS).run()
    return [one for name in asked for one in found.get(name, [])]


def _can_be_held(kind: Kind) -> bool:
    return type(kind).holders is not Kind.holders


def _of_one(target: Target, clients: Clients) -> list[Blocker]:
    kind, it = target.kind, target.it
    try:
        held = kind.holders(clients.client(kind.service, target.region), it)
    except (ClientError, UnknownCall) as error:
        fault = Fault.REFUSED if is_unknown_call(error) else fault_of(error)
        if fault not in (Fault.REFUSED, Fault.DENIED):
            raise
        # Gone meanwhile, or a call that an emulator does not know: nothing holds what nobody tells of.
        why = f"nobody knows whom: AWS denied {getattr(error, 'operation_name', '')}"
        return [Blocker(it.node, str(kind), why)] if fault is Fault.DENIED else []
    return [
        Blocker(it.node, str(kind), one.what, one.remedy) for one in held if not one.passing or one.doubtful
    ]
