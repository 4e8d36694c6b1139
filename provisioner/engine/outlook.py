"""What is left of a run: its longest chain of steps that are not done, as long as they usually take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from provisioner.engine.critical import longest
from provisioner.engine.durations import Durations, What
from provisioner.engine.events import Event
from provisioner.engine.kind import Kind
from provisioner.engine.record import Step

# The stages of a node, in their order, by whether it comes or goes; each with what its duration is called.
_COMES: tuple[What, ...] = ("exists", "ready")
_GOES: tuple[What, ...] = ("gone",)


class Part(NamedTuple):
    """One stage of one node."""

    node: str
    what: str


@dataclass
class Outlook:
    """Hears a run, and says how long each step usually takes and how long the rest of the run will."""

    now: Callable[[], float]
    seconds: Mapping[Part, float] = field(default_factory=dict)
    graph: Mapping[Part, set[Part]] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    _done: set[Part] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls,
        steps: Mapping[str, Step],
        verbs: Mapping[str, str],
        kinds: Mapping[str, Kind],
        durations: Durations,
        now: Callable[[], float],
    ) -> Outlook:
        """The outlook on the nodes that `verbs` names, each with what is done with it."""
        seconds: dict[Part, float] = {}
        graph: dict[Part, set[Part]] = {}
        for name, verb in verbs.items():
            step, did = steps[name], "create" if verb == "replace" else verb
            before: set[Part] = set() if did == "delete" else _waits_for(step, verbs)
            for what in _GOES if did == "delete" else _COMES:
                part = Part(name, what)
                seconds[part] = durations.expected(kinds[step.kind], step.region, did, what)
                graph[part], before = before, {part}
        for name, verb in verbs.items():
            for need in steps[name].needs if verb == "delete" else ():
                if Part(need, "gone") in graph and name not in steps[need].beside:
                    graph[Part(need, "gone")].add(Part(name, "gone"))
        return cls(now, seconds, graph)

    def hear(self, event: Event) -> None:
        """Take in one event."""
        with self._guard:
            if event.what == "starting":
                self._begun[event.node] = self.now()
            elif event.what in ("exists", "ready", "gone", "failed", "stopped"):
                self._done.add(Part(event.node, event.what))
            if event.what == "exists":
                self._begun[event.node] = self.now()
            if event.what in ("ready", "kept", "failed", "stopped"):
                self._done |= {Part(event.node, what) for what in (*_COMES, *_GOES)}

    def usual(self, node: str) -> float:
        """The seconds that this step usually takes."""
        return sum(self.seconds.get(Part(node, what), 0.0) for what in (*_COMES, *_GOES))

    def left(self) -> float:
        """The seconds until the run ends, if all that is left takes as long as usual."""
        with self._guard:
            rest = {part: self._left_of(part) for part in self.graph}
        return longest(self.graph, rest).seconds

    def whole(self) -> float:
        """The seconds of the whole run."""
        return longest(self.graph, self.seconds).seconds

    def _left_of(self, part: Part) -> float:
        if part in self._done:
            return 0.0
        first = part.what != "ready" or Part(part.node, "exists") in self._done
        begun = self._begun.get(part.node) if first else None
        passed = self.now() - begun if begun is not None else 0.0
        return max(self.seconds[part] - passed, 0.0)


def _waits_for(step: Step, verbs: Mapping[str, str]) -> set[Part]:
    return {Part(name, what) for name, what in step.needs.items() if name in verbs}
