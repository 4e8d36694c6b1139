"""AWS takes one change of some things in so long: when the next can be, and when all of it is done.

A cooldown runs from a change that a run of ours made, or may have made: its reply was lost, and AWS holds
what was asked. It never runs from a thing's being found. Where no change of ours is known AWS is asked, and
where it refuses, somebody else's change was the last: that is waited for as long as the kind allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from provisioner.engine.clock import Clock
from provisioner.engine.decide import Change
from provisioner.engine.events import Event, Listener
from provisioner.engine.faults import told
from provisioner.engine.kind import Kind
from provisioner.engine.refs import Doc
from provisioner.engine.refused import NotYet, is_named
from provisioner.engine.target import Target
from provisioner.engine.waits import again, pause
from provisioner.errors import NotBefore
from state.document import Entry
from state.ledger import Ledger


def timed(
    change: Change, kind: Kind, entry: Entry | None, docs: tuple[Doc, Doc], now: float, pace: float
) -> Change:
    """The change and when it can be done, where AWS makes it wait; `docs`: what is seen, what is wanted."""
    if change.verb != "update" or not kind.interval:
        return change
    later = (kind.changes(*docs) - 1) * kind.interval * pace
    done = max(now, _free_at(kind, entry, pace, now)) + later
    return replace(change, why=f"{_often(kind)}: done from {_told(done)}") if done > now else change


def last_change(kind: Kind, entry: Entry | None) -> float:
    """The second of the last change of ours that AWS has taken, of a kind that waits between two; else 0.

    For an entry that AWS holds as it was wanted: then an open intent of ours was such a change.
    """
    if not entry or not kind.interval:
        return 0.0
    return max(entry.changed, entry.intent.at if entry.intent else 0.0)


class Cooldown:
    """One thing in hand, and when AWS takes the next change of it; nothing to a kind without an interval."""

    def __init__(self, ledger: Ledger, clock: Clock, pace: float, target: Target, listen: Listener) -> None:
        self._ledger = ledger
        self._clock = clock
        self._pace = pace
        self._target = target
        self._listen = listen
        self._kind, self._node = target.kind, target.it.node
        # What an earlier run may have done that was cut off: AWS may count from it.
        self._last = last_change(self._kind, ledger.get(self._node))

    def wait(self) -> None:
        """Wait until AWS takes another change, where that is soon; NotBefore where it is not."""
        now = self._clock.wall()
        free = _free_at(self._kind, self._ledger.get(self._node), self._pace, now)
        if free - now > self._kind.patience:
            raise _not_before(self._target, _told(free))
        if free > now:
            self._listen(Event("waiting", self._node, "update", _often(self._kind), free - now))
            self._clock.sleep(free - now)

    def call(self, act: Callable[[], Doc]) -> Doc:
        """Make the change, and write down when; where AWS refuses it as too soon, again later.

        Raises:
            NotBefore: AWS takes it, or the rest of it, later than a run waits for.

        """
        if not self._kind.interval:
            return act()
        try:
            reply = again(
                act,
                when=self._is_soon,
                clock=self._clock,
                patience=self._kind.patience,
                told=lambda error, seconds: self._listen(
                    Event("retrying", self._node, "update", told(error), seconds)
                ),
                steps=self._step,
            )
        except NotYet as error:
            now = self._clock.wall()
            self._ledger.changed(self._node, now, more=True)
            raise _not_before(self._target, _told(now + self._kind.interval * self._pace)) from error
        except Exception as error:
            if not is_named(error, self._kind.too_soon):
                raise
            self._ledger.changed(self._node, self._last, more=True)
            raise _not_before(self._target, self._when()) from error
        self._ledger.changed(self._node, self._clock.wall(), more=False)
        return reply

    def _left(self) -> float:
        """Seconds until AWS takes another change, by the last one that may be ours; 0 where none is."""
        if not self._last:
            return 0.0
        return max(0.0, self._last + self._kind.interval * self._pace - self._clock.wall())

    def _is_soon(self, error: BaseException) -> bool:
        return is_named(error, self._kind.too_soon) and self._left() <= self._kind.patience

    def _step(self, _error: BaseException, elapsed: float) -> float:
        return self._left() or pause(elapsed, self._kind.interval * self._pace)

    def _when(self) -> str:
        """From when on AWS takes the rest, as far as it is known."""
        if left := self._left():
            return _told(self._clock.wall() + left)
        return f"{_told(self._clock.wall() + self._kind.interval * self._pace)} at the latest"


def _free_at(kind: Kind, entry: Entry | None, pace: float, now: float) -> float:
    """The wall-clock second from which AWS takes another change; 0 where no last one is known.

    One that lies ahead was written by a clock that was wrong: it tells nothing.
    """
    last = entry.changed if entry else 0.0
    return last + kind.interval * pace if kind.interval and 0 < last <= now else 0.0


def _not_before(target: Target, when: str) -> NotBefore:
    return NotBefore(
        f"{_often(target.kind)} of {target.words}: the rest from {when}.",
        "Nothing is lost: run the same command again then.",
    )


def _often(kind: Kind) -> str:
    return f"AWS takes one change in {kind.interval / 60:.0f} minutes"


def _told(second: float) -> str:
    """The minute in which it has come."""
    return time.strftime("%H:%M UTC", time.gmtime(second + 59))
