"""Looks for what a call has made whose reply never came: in this run, or in one that was killed."""

from __future__ import annotations

from provisioner.engine.clients import Clients
from provisioner.engine.compare import differences, meets
from provisioner.engine.decide import is_ours, remedy_for_anothers, whose
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Foreign
from provisioner.engine.target import Target, read
from provisioner.engine.waits import until

# AWS hides a new thing for a number of reads as well as of seconds.
_LOOKS = 6


class Search:
    """Looks again until AWS can no longer be hiding it; shared by all threads of a run."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.clock = clients.clock
        self._began = self.clock.wall()

    def last_tried(self, target: Target, intended: float) -> float:
        """When it was tried last: as long as the kind allows at most, by a run that ended before this one."""
        return max(intended, min(self._began, intended + target.kind.patience))

    def find(self, target: Target, since: float, hidden: float) -> Doc | None:
        """What is there of ours, looked for until AWS can hide it no longer: `hidden` seconds after `since`.

        Where a second call would only meet what the first has made, none need be waited.

        Raises:
            Foreign: It is there under our name, and somebody else's.

        """
        window = self.clients.aws.hides(hidden) if hidden else 0.0
        start = self.clock.now()
        looks = 0

        def probe() -> Doc | bool | None:
            nonlocal looks
            looks += 1
            doc = read(self.clients, target)
            there = doc is not None and not meets(doc, target.kind.gone)
            if doc is not None and there and is_ours(target.kind, target.it.tags, doc):
                return doc if _is_made(target, doc) else False
            # A clock that went backwards makes `since` lie ahead: then one whole window is waited.
            passed = max(self.clock.wall() - since, self.clock.now() - start)
            if passed < window or looks < (_LOOKS if there or hidden else 1):
                return None
            if doc is not None and there:
                remedy = remedy_for_anothers(target.kind, doc) or "Choose another suffix."
                raise Foreign(f"{target.words} is {whose(target.kind, doc)}.", remedy)
            return False

        patience = window + target.kind.patience
        found = until(probe, clock=self.clock, due=0, patience=patience, hidden=window)
        return found if isinstance(found, dict) else None


def _is_made(target: Target, doc: Doc) -> bool:
    """Whether what is there was made.

    A setting of another thing is there before it is set; where several of one name stand side by side,
    what is there may be an earlier one.
    """
    may_be_older = target.kind.vanishes or target.kind.claims == ()
    return not may_be_older or not differences(target.kind, target.it.props, doc, None)
