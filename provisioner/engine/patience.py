"""Patience with one call: which refusals time cures, who holds a thing that will not go, and what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import EMULATOR_PATIENCE, Clients
from provisioner.engine.clock import Clock
from provisioner.engine.durations import Durations
from provisioner.engine.events import Event, Listener
from provisioner.engine.faults import PASSING, Fault, code_of, fault_of, is_unknown_call, told
from provisioner.engine.kind import Kind
from provisioner.engine.refused import Holder, NotYet, held_up, is_named, names_holders, waiting_is_vain
from provisioner.engine.target import Target
from provisioner.engine.waits import again, jittered, pause
from provisioner.engine.young import FRESH, Newborns

# Throttles and failures of AWS's own are sent again for as long. The provider's 25 tries come to about as
# much; what lasts longer is an outage, and the next run goes on from here.
OUTAGE = 300.0
# Who holds a thing that AWS does not let go is asked after so many seconds, then after twice as many, up to
# the last: strangers never let go, AWS does within minutes.
_FIRST_ASKED, _LAST_ASKED = 1.5, 12.0


class Patience:
    """Makes calls until AWS takes them, as long as the kind allows; shared by all threads of a run."""

    def __init__(self, clients: Clients, listen: Listener, durations: Durations | None = None) -> None:
        self.clients = clients
        self.listen = listen
        self.clock = clients.clock
        self.pace = clients.aws.pace
        self.durations = durations or Durations(self.pace)
        self.newborns = Newborns(clients)

    def client(self, target: Target) -> Any:
        """The client that the target's verbs call."""
        return self.clients.client(target.kind.service, target.region)

    def is_new(self, made: float) -> bool:
        """Whether what was made at this wall-clock second, perhaps by an earlier run, may be unknown."""
        return self.newborns.is_new(made)

    def call(self, call: Callable[[], Any], target: Target, verb: str) -> Any:
        """Call; send again what AWS throttled or lost, and what the kind says time cures."""
        passing = _Passing(EMULATOR_PATIENCE if self.clients.aws.endpoint else OUTAGE, self.clock)
        asking = _Asking(self.clock)
        known_late = _Passing(max(FRESH * self.pace, EMULATOR_PATIENCE), self.clock)

        def cures(error: BaseException) -> bool:
            if fault_of(error) in PASSING:
                return passing.may_pass()
            passing.over()
            if self._time_cures(error, target.kind, verb):
                # A right is learnt within minutes; one that is missing is told then.
                return not _may_lack_a_right(error, target.kind) or known_late.may_pass()
            return verb != "delete" and self._is_for_the_young(error, target)

        def steps(error: BaseException, elapsed: float) -> float | None:
            step = self._step(error, elapsed, target, verb)
            return None if step is None else jittered(step)

        def report(error: BaseException, seconds: float) -> None:
            # What AWS must finish first, or did not answer, says nothing of holders.
            names = verb == "delete" and names_holders(error, target.kind.unheld)
            held = self._words_of_holders(target) if names and asking.is_due() else ""
            detail = f"held by {held}" if held else told(error)
            self.listen(Event("retrying", target.it.node, verb, detail, seconds))

        return again(
            call, when=cures, clock=self.clock, patience=target.kind.patience, told=report, steps=steps
        )

    def _time_cures(self, error: BaseException, kind: Kind, verb: str) -> bool:
        """Whether it passes, and soon enough to be waited for."""
        if isinstance(error, NotYet):
            return error.due * self.pace <= kind.patience
        return is_named(error, kind.transient.get(verb, frozenset()))

    def _step(self, error: BaseException, elapsed: float, target: Target, verb: str) -> float | None:
        """Seconds until a refused call is made again; None where it was not refused."""
        if fault_of(error) in PASSING:
            return None
        if isinstance(error, NotYet):
            return pause(elapsed, error.due * self.pace)
        if verb == "create" and code_of(error) not in self.newborns.absent(target.needs):
            due = self._due(target, verb, self.clock.now() - elapsed)
            if due > elapsed:
                return pause(elapsed, due)
        # EC2 gives an account 5 changes a second (EC2 API throttling): refusals are asked again slowly.
        return max(pause(elapsed, 0), min(1 + elapsed / 10, 10) * self.pace)

    def _due(self, target: Target, verb: str, start: float) -> float:
        """Seconds after which a refused call is usually taken: when what it needs is usually ready."""
        known = self.durations.known_seconds(target.kind, target.region, verb, "exists")
        if known is not None:
            return known
        young = self.newborns.born(target.needs)
        return max((born + kind.takes * self.pace - start for kind, born in young), default=0.0)

    def _is_for_the_young(self, error: BaseException, target: Target) -> bool:
        """Whether it is refused for the sake of something so new that it is not known everywhere."""
        hidden = self.newborns.absent((target.it.node, *target.needs))
        lasting = is_named(error, target.kind.duplicate)
        return code_of(error) in hidden or (not lasting and self.newborns.explain(error))

    def holders(self, target: Target) -> list[Holder]:
        """Return who holds it; none where AWS does not let that be asked."""
        try:
            return target.kind.holders(self.client(target), target.it)
        except (ClientError, UnknownCall) as error:
            # What is asked about may go meanwhile; the call itself tells then what is the matter.
            if fault_of(error) is not Fault.REFUSED and not is_unknown_call(error):
                raise
            return []

    def _words_of_holders(self, target: Target) -> str:
        """Return who holds it, in words.

        Raises:
            ProvisionerError: None of them lets go while a run waits (`held_up`).

        """
        holders = self.holders(target)
        if waiting_is_vain(holders):
            raise held_up(target.words, holders)
        return ", ".join(holder.what for holder in holders)


def insist(clients: Clients, call: Callable[[], Any], newborns: Newborns | None = None) -> Any:
    """Make a call that may be sent twice, until AWS takes or refuses it; `newborns` may be unknown to it."""
    budget = EMULATOR_PATIENCE if clients.aws.endpoint else OUTAGE

    def cures(error: BaseException) -> bool:
        return fault_of(error) in PASSING or bool(newborns and newborns.explain(error))

    return again(call, when=cures, clock=clients.clock, patience=budget)


class _Passing:
    """How long one fault after another has struck a call, and whether that is too long."""

    def __init__(self, budget: float, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        self._since: float | None = None

    def may_pass(self) -> bool:
        """Note one more; False when they have lasted longer than faults that pass."""
        self._since = self._clock.now() if self._since is None else self._since
        return self._clock.now() - self._since <= self._budget

    def over(self) -> None:
        """AWS took the call, if only to refuse it."""
        self._since = None


class _Asking:
    """When it is time to ask who holds a thing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._step = _FIRST_ASKED
        self._next = clock.now() + self._step

    def is_due(self) -> bool:
        """Whether it is, once in each step."""
        if self._clock.now() < self._next:
            return False
        self._step = min(2 * self._step, _LAST_ASKED)
        self._next = self._clock.now() + self._step
        return True


def _may_lack_a_right(error: BaseException, kind: Kind) -> bool:
    return fault_of(error) is Fault.DENIED or is_named(error, kind.or_denied)
