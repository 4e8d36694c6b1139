"""An estimate of the time that is left in a run: the critical path of the stages that are not done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from provisioner.engine.critical import longest
from provisioner.engine.durations import Durations, What
from provisioner.engine.events import Event
from provisioner.engine.record import Step
from provisioner.engine.resource_type import ResourceType

# The stages of a resource that is brought up or deleted, in order, under the names of their durations.
_COMES: tuple[What, ...] = ("exists", "ready")
_GOES: tuple[What, ...] = ("gone",)


class Part(NamedTuple):
    """One stage of one resource."""

    node: str
    what: str


@dataclass
class Outlook:
    """An estimate of the usual time of each resource and of the rest of the run, updated by the run's events.

    `seconds` holds the usual duration of each stage, `graph` the stages that each stage waits for.
    """

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
        resource_types: Mapping[str, ResourceType],
        durations: Durations,
        now: Callable[[], float],
    ) -> Outlook:
        """Return the estimate for a run.

        Args:
            steps: The recorded resources of the run, by logical id.
            verbs: The action of each resource that the run works on, by logical id.
            resource_types: The resource types by name.
            durations: The durations that earlier runs have measured.
            now: The function that returns monotonic seconds.

        """
        seconds: dict[Part, float] = {}
        graph: dict[Part, set[Part]] = {}
        for name, verb in verbs.items():
            step, did = steps[name], "create" if verb == "replace" else verb
            before: set[Part] = set() if did == "delete" else _waits_for(step, verbs)
            for what in _GOES if did == "delete" else _COMES:
                part = Part(name, what)
                seconds[part] = durations.expected(resource_types[step.kind], step.region, did, what)
                graph[part], before = before, {part}
        for name, verb in verbs.items():
            for need in steps[name].needs if verb == "delete" else ():
                if Part(need, "gone") in graph and name not in steps[need].beside:
                    graph[Part(need, "gone")].add(Part(name, "gone"))
        return cls(now, seconds, graph)

    def hear(self, event: Event) -> None:
        """Update the estimate by one event of the run."""
        with self._guard:
            if event.what == "starting":
                self._begun[event.node] = self.now()
            elif event.what in ("exists", "ready", "gone", "failed", "stopped"):
                self._done.add(Part(event.node, event.what))
            if event.what == "exists":
                self._begun[event.node] = self.now()
            if event.what in ("ready", "kept", "failed", "stopped"):
                self._done |= {Part(event.node, what) for what in (*_COMES, *_GOES)}

    def usual(self, logical_id: str) -> float:
        """Return the seconds that the work on this resource usually takes."""
        return sum(self.seconds.get(Part(logical_id, what), 0.0) for what in (*_COMES, *_GOES))

    def left(self) -> float:
        """Return the seconds until the run ends, if the stages that are left take as long as usual."""
        with self._guard:
            rest = {part: self._left_of(part) for part in self.graph}
        return longest(self.graph, rest).seconds

    def whole(self) -> float:
        """Return the usual seconds of the whole run."""
        return longest(self.graph, self.seconds).seconds

    def _left_of(self, part: Part) -> float:
        # A stage that has begun takes its usual time less the time that has passed.
        if part in self._done:
            return 0.0
        first = part.what != "ready" or Part(part.node, "exists") in self._done
        begun = self._begun.get(part.node) if first else None
        passed = self.now() - begun if begun is not None else 0.0
        return max(self.seconds[part] - passed, 0.0)


def _waits_for(step: Step, verbs: Mapping[str, str]) -> set[Part]:
    return {Part(name, what) for name, what in step.needs.items() if name in verbs}
