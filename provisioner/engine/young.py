"""What was made seconds ago: AWS does not know it everywhere yet, and tells so in many ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from provisioner.engine.clients import Clients
from provisioner.engine.faults import Fault, fault_of
from provisioner.engine.kind import Kind
from provisioner.engine.refused import is_named
from provisioner.engine.target import Target
from provisioner.engine.traits import Codes
from state.document import Entry

# Seconds. A call that names what was made less than FRESH ago may not find it (terraform-provider-aws
# ec2/wait.go: EC2 propagation 5 min); one that is refused for its sake is sent again until it is KNOWN_WITHIN
# old (the same provider, iam/consts.go: propagation 2 min). An emulator that takes no time has SLACK for it.
FRESH, KNOWN_WITHIN, SLACK = 300.0, 120.0, 5.0
# What no time cures, though it names something new: there is one already, or one too many.
_LASTING = re.compile(r"already|duplicate|conflict|in ?use|limit|quota|exceed", re.IGNORECASE)
# An id as AWS makes them, a name of ours, an ARN: no everyday word stands for a resource.
_TELLING = re.compile(r"[-/:]")


@dataclass(frozen=True)
class _Born:
    """A resource, and the second by the run's clock at which it was made."""

    kind: Kind
    at: float
    names: tuple[str, ...]


class Newborns:
    """What is so new that other calls may be refused for its sake; shared by all threads of a run."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._clock = clients.clock
        self._born: dict[str, _Born] = {}

    def add(self, target: Target, made: float = 0.0) -> None:
        """Remember a resource, made now or, by an earlier run perhaps, at this wall-clock second."""
        self._add(target.it.node, target.kind, (target.it.id, target.it.name), made)

    def recall(self, entries: Mapping[str, Entry], kinds: Mapping[str, Kind]) -> None:
        """Remember what earlier runs have made of late, as the state tells it."""
        for node, entry in entries.items():
            if self.is_new(entry.made) and entry.kind in kinds:
                self._add(node, kinds[entry.kind], (entry.id, entry.name), entry.made)

    def is_new(self, made: float) -> bool:
        """Whether what was made at this wall-clock second may be unknown to other calls."""
        return bool(made) and abs(self._clock.wall() - made) < FRESH

    def born(self, names: tuple[str, ...]) -> Iterator[tuple[Kind, float]]:
        """The kinds of those nodes that were made of late, and when."""
        known = (self._born.get(name) for name in names)
        return ((one.kind, one.at) for one in known if one)

    def absent(self, names: tuple[str, ...]) -> Codes:
        """The not-found codes of those nodes that are so new that AWS may not show them yet."""
        now = self._clock.now()
        return frozenset().union(*(kind.absent for kind, at in self.born(names) if now - at < FRESH))

    def explain(self, error: BaseException) -> bool:
        """Whether a call may have been refused only because a resource is not known everywhere yet.

        The refusal names it, be it a denial or not, or has the code by which that kind is not known.
        """
        if fault_of(error) not in (Fault.REFUSED, Fault.DENIED) or _LASTING.search(str(error)):
            return False
        window, now = self._clients.aws.hides(KNOWN_WITHIN) + SLACK, self._clock.now()
        return any(
            is_named(error, one.kind.unknown_as) or any(_mentions(str(error), name) for name in one.names)
            for one in list(self._born.values())
            if now - one.at < window
        )

    def _add(self, node: str, kind: Kind, told: tuple[str, ...], made: float) -> None:
        age = max(0.0, self._clock.wall() - made) if made else 0.0
        names = {part for name in told for part in name.split("|") if _TELLING.search(part)}
        self._born[node] = _Born(kind, self._clock.now() - age, tuple(names))


def _mentions(message: str, name: str) -> bool:
    """Whether the name stands in the message by itself, or as a part of an ARN."""
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message))
