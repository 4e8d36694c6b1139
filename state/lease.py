"""The lock on a shelf that machines share: a lease that heartbeats renew and that runs out by itself."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

from provisioner.errors import LockHeld, ProvisionerError
from state.heartbeat import Heartbeat
from state.lock import Lock, Timer
from state.owner import Owner, held
from state.shelf import Conflict, Kept, Shelf, put

# Seconds. A holder that was not heard of for LEASE is taken over; it renews every BEAT, and stops to call
# and to write MARGIN before the end, so that two missed heartbeats do no harm and a third one does none to
# the next holder. SLACK: ages come in whole seconds.
LEASE, BEAT, MARGIN, SLACK = 60.0, 15.0, 15.0, 2.0
_STEP = 2.0


class LeaseLock(Lock):
    """If-None-Match takes it, If-Match renews it, takes it over and gives it back."""

    def __init__(
        self, shelf: Shelf, key: str, where: str, command: str, timeout: float, timer: Timer
    ) -> None:
        self._shelf = shelf
        self._key = key
        self._where = where
        self._command = command
        self._timeout = timeout
        self._timer = timer
        self._one = threading.Lock()
        self._heart = Heartbeat(self.renew, BEAT)
        self._mine: Owner | None = None
        self._tag: str | None = None
        self._since = (0.0, 0.0)
        self._lost = False
        self._taker: Owner | None = None
        self._trouble = ""
        self.fence = 0

    def __enter__(self) -> LeaseLock:
        deadline = self._timer.now() + self._timeout
        while not self._taken():
            if self._timer.now() >= deadline:
                raise held(self.last()[0])
            self._timer.sleep(_STEP)
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._heart.stop()
        with self._one:
            mine, self._mine = self._mine, None
            # Where it cannot be given back, it is another's by now, or its lease runs out by itself.
            with suppress(Conflict, ProvisionerError):
                if mine and not self._lost:
                    self._give_back(mine, self._tag)

    def check(self) -> None:
        """LockHeld where another took it, or where its lease is about to run out unrenewed."""
        if self._left() < MARGIN and not self._trouble:
            self.renew()  # the machine slept, or its clock was set: nobody need have taken it
        if self._mine is None or self._lost:
            by = f"{self._taker} holds it now" if self._taker else "it was freed by hand"
            raise LockHeld(
                f"This run lost its lock {self._where}: {by}.",
                "Nothing more was called or written. When the other run has ended, run the same command "
                "again: it goes on.",
            )
        if self._left() < MARGIN:
            raise LockHeld(
                f"The lock {self._where} could not be renewed, and its lease runs out: {self._trouble}",
                "Nothing more was called or written, so that another run may take over. Mend that, then run "
                "the same command again: it goes on.",
            )

    def renew(self) -> None:
        """Write the next heartbeat; what goes wrong is kept for `check`."""
        with self._one:
            if self._mine is None or self._lost:
                return
            try:
                self._beat(self._mine)
            except ProvisionerError as error:
                self._trouble = error.message

    def last(self) -> tuple[Owner | None, bool]:
        """Who has signed it, and whether that lease still runs."""
        there = self._shelf.get(self._key)
        return (_owner(there), not _is_free(there)) if there else (None, False)

    def break_open(self, owner: Owner) -> None:
        """Give it back for its owner; a heartbeat in between is one try more."""
        while (there := self._shelf.get(self._key)) and not _is_free(there):
            if _owner(there).fence != owner.fence:
                raise held(_owner(there))
            with suppress(Conflict):
                self._give_back(_owner(there), there.tag)

    def _taken(self) -> bool:
        there = self._shelf.get(self._key)
        if there and not _is_free(there):
            return False
        mine = Owner.me(self._command, (_owner(there).fence if there else 0) + 1, LEASE)
        try:
            self._write(mine, there.tag if there else None)
        except Conflict:
            return False
        self.fence = mine.fence
        return True

    def _beat(self, mine: Owner) -> None:
        try:
            self._write(replace(mine, beat=mine.beat + 1), self._tag)
        except Conflict:
            self._lost = True
            self._taker = self._holder()

    def _holder(self) -> Owner | None:
        owner, is_held = self.last()
        return owner if is_held else None

    def _write(self, mine: Owner, over: str | None) -> None:
        begun = self._timer.now(), self._timer.wall()
        self._tag = put(self._shelf, self._key, mine.dump().encode(), over)
        self._mine, self._since, self._trouble = mine, begun, ""

    def _give_back(self, owner: Owner, tag: str | None) -> None:
        put(self._shelf, self._key, replace(owner, lease=0.0, beat=owner.beat + 1).dump().encode(), tag)

    def _left(self) -> float:
        """Seconds until others may take it, by the clock that says fewer: one stands still in a sleep."""
        now, wall = self._since
        return LEASE - max(self._timer.now() - now, self._timer.wall() - wall)


def _owner(there: Kept) -> Owner:
    """Who signed it; what nobody can read is somebody's until its lease has run out."""
    return Owner.parse(there.text) or Owner("an unknown host", 0, "another run", "an unknown time", 0)


def _is_free(there: Kept) -> bool:
    owner = _owner(there)
    lease = LEASE if owner.lease is None else owner.lease
    return owner.lease == 0 or owner.is_dead or there.age > lease + SLACK
