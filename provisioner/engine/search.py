"""The search for a resource whose create call got no reply, in this run or in one that was killed.

AWS is eventually consistent: reads may miss a new resource for a while.
"""

from __future__ import annotations

from provisioner.engine.clients import Clients
from provisioner.engine.compare import differences, meets_condition
from provisioner.engine.decide import foreign_remedy, is_owned, owner_description
from provisioner.engine.refs import JsonObject
from provisioner.engine.refused import OwnershipConflict
from provisioner.engine.target import ManagedResource, read
from provisioner.engine.waits import poll_until

# At least so many reads: AWS may miss a new resource for a number of reads as well as of seconds.
_LOOKS = 6


class ConsistencyLookup:
    """A search that reads again until AWS must show a new resource; shared by all threads of a run."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.clock = clients.clock
        self._began = self.clock.wall()

    def last_attempt(self, managed: ManagedResource, intended: float) -> float:
        """Return the latest time at which a run before this one may have tried the create.

        `intended` is when that run first meant to. It may have retried for the timeout of the resource type,
        but not beyond the start of this run.
        """
        return max(intended, min(self._began, intended + managed.type.timeout))

    def find(self, managed: ManagedResource, since: float, hidden: float) -> JsonObject | None:
        """Return a resource of this stack that an unanswered create has made, or None.

        It is read until `hidden` seconds after `since`, when AWS must show it. With `hidden` as 0 nothing is
        waited for, because a second create would only find what the first has made.

        Raises:
            Foreign: A resource of somebody else has its name.

        """
        window = self.clients.aws.hides(hidden) if hidden else 0.0
        start = self.clock.now()
        looks = 0

        def probe() -> JsonObject | bool | None:
            nonlocal looks
            looks += 1
            # The result is the resource, False if this stack has none, or None to read again.
            actual = read(self.clients, managed)
            there = actual is not None and not meets_condition(actual, managed.type.deleted)
            if actual is not None and there and is_owned(managed.type, managed.spec.tags, actual):
                return actual if _is_created(managed, actual) else False
            # If the clock went backwards, `since` may lie in the future: then one whole window is waited.
            passed = max(self.clock.wall() - since, self.clock.now() - start)
            if passed < window or looks < (_LOOKS if there or hidden else 1):
                return None
            if actual is not None and there:
                remedy = foreign_remedy(managed.type, actual) or "Choose another suffix."
                raise OwnershipConflict(f"{managed.description} is {owner_description(managed.type, actual)}.", remedy)
            return False

        timeout = window + managed.type.timeout
        found = poll_until(probe, clock=self.clock, due=0, timeout=timeout, hidden=window)
        return found if isinstance(found, dict) else None


def _is_created(managed: ManagedResource, actual: JsonObject) -> bool:
    """Return whether the resource that was found was made by the create.

    A setting of another resource can be read before it is set. If several resources may have the same name,
    the one that was found may be older. In both cases the properties decide.
    """
    may_be_older = managed.type.deleted_with_parent or managed.type.unique_properties == ()
    return not may_be_older or not differences(managed.type, managed.spec.props, actual, None)
