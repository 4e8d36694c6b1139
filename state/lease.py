"""The lock of a stack whose state is in a shared object store: a lease that expires unless it is renewed."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

from provisioner.errors import LockHeld, ProvisionerError
from state.heartbeat import Heartbeat
from state.lock import Lock, Timer
from state.owner import Owner, held
from state.shelf import Conflict, Kept, Shelf, put

# Seconds. A lock that was not renewed for LEASE may be taken by another run. Its holder renews it every BEAT,
# and stops calling AWS and writing the state MARGIN before the lease expires. So two missed heartbeats do no
# harm, and after a third one the holder has stopped before the next holder begins. SLACK: S3 gives ages in
# whole seconds.
LEASE, BEAT, MARGIN, SLACK = 60.0, 15.0, 15.0, 2.0
_STEP = 2.0


class LeaseLock(Lock):
    """The lock of one stack as an object with a lease, changed by conditional writes only.

    If-None-Match creates it; If-Match renews it, takes over an expired one, and releases it.
    """

    def __init__(self, shelf: Shelf, key: str, where: str, command: str, timeout: float, timer: Timer) -> None:
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
            # If it cannot be released, another run holds it by now, or the lease expires by itself.
            with suppress(Conflict, ProvisionerError):
                if mine and not self._lost:
                    self._give_back(mine, self._tag)

    def check(self) -> None:
        """Renew a lease that is about to expire, and raise if this run may not go on.

        Raises:
            LockHeld: Another run took the lock, it was freed by hand, or its lease could not be renewed.

        """
        if self._left() < MARGIN and not self._trouble:
            self.renew()  # after a sleep of the machine or a change of its clock, the lock may still be free
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
        """Write the next heartbeat; a failure is remembered and raised by `check`."""
        with self._one:
            if self._mine is None or self._lost:
                return
            try:
                self._beat(self._mine)
            except ProvisionerError as error:
                self._trouble = error.message

    def last(self) -> tuple[Owner | None, bool]:
        """Return the last holder, and whether its lease is still valid."""
        there = self._shelf.get(self._key)
        return (_owner(there), not _is_free(there)) if there else (None, False)

    def break_open(self, owner: Owner) -> None:
        """Release the lock on behalf of `owner`; if the holder renews it in between, try again.

        Raises:
            LockHeld: Another run has taken the lock since.

        """
        while (there := self._shelf.get(self._key)) and not _is_free(there):
            if _owner(there).fence != owner.fence:
                raise held(_owner(there))
            with suppress(Conflict):
                self._give_back(_owner(there), there.tag)

    def _taken(self) -> bool:
        # One try: False where another run holds the lock, or was faster.
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
        # The lease counts from before the call: this holder then stops early rather than late.
        begun = self._timer.now(), self._timer.wall()
        self._tag = put(self._shelf, self._key, mine.dump().encode(), over)
        self._mine, self._since, self._trouble = mine, begun, ""

    def _give_back(self, owner: Owner, tag: str | None) -> None:
        put(self._shelf, self._key, replace(owner, lease=0.0, beat=owner.beat + 1).dump().encode(), tag)

    def _left(self) -> float:
        """Return the seconds until another run may take the lock.

        Of the two clocks the smaller result counts, because the monotonic one may stand still in a sleep.
        """
        now, wall = self._since
        return LEASE - max(self._timer.now() - now, self._timer.wall() - wall)


def _owner(there: Kept) -> Owner:
    """Return the holder that the object names; an unreadable object counts as held until it expires."""
    return Owner.parse(there.text) or Owner("an unknown host", 0, "another run", "an unknown time", 0)


def _is_free(there: Kept) -> bool:
    owner = _owner(there)
    lease = LEASE if owner.lease is None else owner.lease
    return owner.lease == 0 or owner.is_dead or there.age > lease + SLACK
