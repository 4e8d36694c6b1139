"""Another run's mark, looked for by a run that bears none: it makes nothing that AWS would make twice."""

from __future__ import annotations

from provisioner.engine.clock import Clock
from provisioner.engine.marker import Marker
from provisioner.errors import LockHeld


class Lookout:
    """The lookout of one run: before its first call, again each minute in which it calls, and at its end.

    `stands` says whether the plan saw the marker.
    """

    def __init__(self, marker: Marker, clock: Clock, *, stands: bool) -> None:
        self._marker = marker
        self._clock = clock
        self._stands = stands
        self._asked = 0.0

    def begin(self) -> None:
        """LockHeld where another run is at work."""
        doc = self._marker.look()
        self._marker.check(doc)
        self._stands = self._stands or doc is not None
        self._asked = self._clock.now()

    def guard(self) -> None:
        """LockHeld where another run has begun since: asked before every call that changes AWS."""
        if self._clock.now() - self._asked >= self._marker.beat:
            self._asked = self._clock.now()
            self._check("nothing more was called")

    def confirm(self) -> None:
        """LockHeld where another run is at work by now, or has removed the stack."""
        self._check("what was done here may be gone or changed by now")

    def end(self) -> None:
        """Leave nothing behind: it has put no mark."""

    def _check(self, came: str) -> None:
        doc = self._marker.look_again() if self._stands else self._marker.look()
        if there := self._marker.other(doc):
            raise self._marker.held(there, came)
        if self._stands and doc is None:
            target = self._marker.target
            raise LockHeld(
                f"The stack {target.it.suffix} was removed while this run was at work: {target.words} "
                f"is gone; {came}.",
                "Find out who tore it down; run the same command again where it is to stand.",
            )
