"""The marker of a stack: the one resource that AWS makes only once, and that says which run is at work.

Machines that share no state find each other by it. It bears a tag while a run makes something: when the run
was heard of last, the lineage of its state, and who it is. A run that ends takes the tag off. A teardown
bears it as well, and deletes the marker last. A run that bears none looks for others' (`engine/lookout.py`).
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from provisioner.engine.clients import Clients
from provisioner.engine.explain import explained
from provisioner.engine.mark import Identity, Mark, stamp
from provisioner.engine.patience import insist
from provisioner.engine.plan import Plan
from provisioner.engine.refs import Doc
from provisioner.engine.target import Target, read
from provisioner.errors import LockHeld, ProvisionerError
from provisioner.names import RUN_TAG
from state.heartbeat import Heartbeat

# Seconds of AWS. A run that was not heard of for LASTS is dead; it renews its mark every BEAT, and stops to
# call MARGIN before the end. IAM tells all of a new tag within SETTLES (IAM user guide, troubleshooting,
# "changes that I make are not always immediately visible"; terraform-provider-aws waits as long for tags).
LASTS, BEAT, MARGIN, SETTLES = 300.0, 60.0, 15.0, 10.0
# An emulator that takes no time has runs of seconds: there a mark lasts so long.
_LEAST = 10.0


class Marker:
    """The marker in the hands of one run; shared by all its threads.

    `target` is the resource that bears it. Times are by AWS's own clock, so that machines whose clocks differ
    agree.
    """

    def __init__(self, clients: Clients, target: Target, me: Identity) -> None:
        self._clients = clients
        self.target = target
        self._me = me
        pace = clients.aws.pace
        self._lasts = max(LASTS * pace, _LEAST)
        self._scale = self._lasts / LASTS
        self._one = threading.Lock()
        self._heart: Heartbeat | None = None
        self._heard = (0.0, 0.0)
        self._since = 0.0
        self._taken = ""
        self._trouble = ""

    @property
    def node(self) -> str:
        """The node of the resource that bears the mark."""
        return self.target.it.node

    def refuse(self, plan: Plan) -> None:
        """LockHeld where the plan has seen that another run is at work."""
        self.check(self.seen_by(plan))

    def seen_by(self, plan: Plan) -> Doc | None:
        """The marker as the plan saw it, chosen or not; None where it is not there."""
        return (plan.whole or plan).docs.get(self.node)

    @property
    def beat(self) -> float:
        """Seconds after which a mark is renewed, and others' are looked for again."""
        return BEAT * self._scale

    def ask(self) -> None:
        """LockHeld where another run is at work by now; one that began after the look has its mark on it."""
        self.check(self.look())

    def look(self) -> Doc | None:
        """The marker as AWS tells it now."""
        with explained(f"asking for another run's mark on {self.target.words}"):
            return self._read()

    def look_again(self) -> Doc | None:
        """The marker; what is not shown is asked for once more, when AWS hides it no longer."""
        doc = self.look()
        if doc is None:
            self._clients.clock.sleep(self._clients.aws.hides(SETTLES))
            doc = self.look()
        return doc

    def check(self, doc: Doc | None) -> None:
        """LockHeld where the marker, as AWS tells it, says that another run is at work."""
        if (there := self.other(doc)) and not self._me.takes_over:
            raise self.held(there)

    def other(self, doc: Doc | None) -> Mark | None:
        """The mark of another run, of another state, that was heard of lately; None where there is none."""
        there = Mark.on(doc)
        return there if there and self._is_anothers(there) and self._is_alive(there) else None

    def take(self, planned: Doc | None) -> None:
        """Put this run's mark on a marker that stands, `planned` as the plan saw it.

        Of several that do so at once the last one has it: who reads another's after a while stops.

        Raises:
            LockHeld: Another run is at work, or one was since the plan was made.

        """
        with explained(f"putting this run's mark on {self.target.words}"):
            self._take(Mark.on(planned))
        self._me = replace(self._me, takes_over=False)  # a run that begins from now on is another one
        self.begin()

    def _take(self, planned: Mark | None) -> None:
        doc = self._read()
        self.check(doc)
        there = Mark.on(doc)
        if there and self._is_anothers(there) and there != planned:
            raise self.held(there)
        is_ours_still = there is not None and not self._is_anothers(there) and self._is_alive(there)
        self._since = there.since if there and is_ours_still else self._time()
        began = self._clients.clock.now()
        insist(self._clients, self._write)  # the same tag may be written twice
        if not is_ours_still or self._clients.clock.now() - began >= self.beat:
            self._settle()

    def born(self, target: Target) -> Target:
        """The marker with this run's mark on it, for the call that makes it."""
        self._read()  # it tells AWS's time
        self._since = self._time()
        self._note()
        return target.bearing({RUN_TAG: self._mark().dump()})

    def met(self, doc: Doc | None) -> None:
        """LockHeld where the marker bears another mark than this run's, or none."""
        if not self.is_own(doc):
            raise self.held(Mark.on(doc))

    def is_own(self, doc: Doc | None) -> bool:
        """Return whether the marker bears this run's mark, as far as an emulator tells tags at all."""
        there = Mark.on(doc)
        return self._is_forgotten(doc) or (there is not None and not self._is_anothers(there))

    def begin(self) -> None:
        """Renew the mark again and again, until the run ends; an emulator that forgets tags has none."""
        if not self._clients.aws.echoes and self._is_forgotten(self._read()):
            return
        self._heart = Heartbeat(self._beat, BEAT * self._scale)
        self._heart.start()

    def guard(self) -> None:
        """LockHeld where another run took over, or may soon: asked before every call that changes AWS."""
        if self._heart is None:
            return
        with self._one:
            if not self._taken and self._age() >= self.beat:
                self._renew()
        if self._taken:
            raise self._lost("Nothing more was called.")
        if self._age() > (LASTS - MARGIN) * self._scale:
            raise LockHeld(
                f"The mark of this run on {self.target.words} could not be renewed: {self._trouble}",
                "Nothing more was called, as another run may take over. Mend that, then run the same "
                "command again: it goes on.",
            )

    def confirm(self) -> None:
        """LockHeld where the marker bears this run's mark no longer: what it made may be gone again."""
        if self._heart is None:
            return
        doc = self.look_again()
        there = Mark.on(doc)
        if doc is None:
            self._taken = f"by one that removed {self.target.words}"
        elif there is None or self._is_anothers(there):
            self._taken = _by(there)
        if self._taken:
            raise self._lost("What this run made may be gone or changed by now.")

    def rest(self) -> None:
        """Renew the mark no longer: the marker went, as the last of the stack."""
        if self._heart:
            self._heart.stop()
            self._heart = None

    def end(self) -> None:
        """Take the mark off; where that fails it runs out by itself."""
        if self._heart is None:
            return
        self.rest()
        with explained(f"taking this run's mark off {self.target.words}"):
            if (there := Mark.on(self._read())) and not self._is_anothers(there):
                self.target.kind.retag(self._client, self.target.it, {}, [RUN_TAG])

    @property
    def _client(self) -> Any:
        return self._clients.client(self.target.kind.service, self.target.region)

    def _beat(self) -> None:
        with self._one:
            self._renew()

    def _renew(self) -> None:
        """Write the next mark, unless another run's stands there; what goes wrong is kept for `guard`."""
        try:
            with explained(f"renewing this run's mark on {self.target.words}"):
                doc = self._read()
                there = Mark.on(doc)
                if there and not self._is_anothers(there):
                    self._write()
                elif doc is not None:
                    self._taken = _by(there)
                else:
                    self._trouble = "AWS does not show it"
        except ProvisionerError as error:
            self._trouble = error.message

    def _settle(self) -> None:
        """Wait until AWS tells all of the mark; LockHeld where it is another's then."""
        self._clients.clock.sleep(self._clients.aws.hides(SETTLES))
        self.met(self._read())

    def _read(self) -> Doc | None:
        doc = read(self._clients, self.target)
        if doc is not None:
            self.target = self.target.with_id(self.target.kind.id_of(doc))
        return doc

    def _write(self) -> None:
        """Write the mark; what counts is when it was begun with, not when it was answered."""
        heard = self._now()
        self.target.kind.retag(self._client, self.target.it, {RUN_TAG: self._mark().dump()}, [])
        self._heard, self._trouble = heard, ""

    def _note(self) -> None:
        self._heard = self._now()

    def _now(self) -> tuple[float, float]:
        return self._clients.clock.now(), self._clients.clock.wall()

    def _age(self) -> float:
        """Seconds since the mark was renewed, by the clock that says more: one stands still in a sleep."""
        return max(now - then for now, then in zip(self._now(), self._heard, strict=True))

    def _mark(self) -> Mark:
        return Mark(self._time(), self._me.lineage, self._me.caller, self._me.host, self._since)

    def _time(self) -> float:
        """AWS's time, as of its last answer."""
        return self._clients.aws.told_at or self._clients.clock.wall()

    def _is_forgotten(self, doc: Doc | None) -> bool:
        """Whether an emulator of somebody else's tells no tag at all of what bears several."""
        return not self._clients.aws.echoes and not (doc or {}).get("Tags")

    def _is_anothers(self, there: Mark) -> bool:
        return there.lineage != self._me.lineage

    def _is_alive(self, there: Mark) -> bool:
        return self._time() - there.at < self._lasts

    def _lost(self, what: str) -> LockHeld:
        return LockHeld(
            f"This stack was taken over {self._taken}. {what}",
            "When that run has ended, run the same command again.",
        )

    def anew(self, doc: Doc) -> LockHeld:
        """Return the error that another run has begun anew what this one removed."""
        there, suffix = Mark.on(doc), self.target.it.suffix
        whose = f"by {there}" if there else "by a run that has ended"
        return LockHeld(
            f"This run removed all of the stack {suffix} that it knew, and the stack was begun anew "
            f"{whose}. That run has a state of its own; nothing of it was touched.",
            "Another teardown would remove what that run makes. Share one state (--state s3://...) so that "
            f"both know the same. {self._me.how}".rstrip(),
        )

    def held(self, there: Mark | None, came: str = "nothing was made here") -> LockHeld:
        """Return the error that another run is at work, and what came of this one."""
        whose = f"by {there}" if there else "by a run that has left no mark"
        until = f" or until {stamp(there.at + self._lasts)}, when it counts as dead" if there else ""
        return LockHeld(
            f"The stack {self.target.it.suffix} is being made, changed or removed {whose}. That run "
            f"has a state of its own; {came}.",
            f"Wait until it has ended{until}, then run the same command again. Share one state "
            f"(--state s3://...) so that both know the same. {self._me.how}".rstrip(),
        )


def _by(there: Mark | None) -> str:
    """By whom it was taken over; one that has ended took its mark off."""
    return f"by {there}" if there else "by one that has ended"
